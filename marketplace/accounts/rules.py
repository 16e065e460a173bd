"""Kinds of organisation, who may hold which role, passwords and lock-out; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word


class OrganisationKind(Word):
    """The kinds of organisation on the platform (济科发〔2020〕26号, "1+6+N")."""

    UNIVERSITY = "university", "高校"
    RESEARCH_INSTITUTE = "research_institute", "科研院所"
    NEW_RD_INSTITUTION = "new_rd_institution", "新型研发机构"
    INNOVATION_COMMUNITY = "innovation_community", "创新创业共同体"
    ENTERPRISE = "enterprise", "企业"
    SERVICE_INSTITUTION = "service_institution", "服务机构"
    REGISTRAR = "registrar", "技术合同登记机构"
    GOVERNMENT = "government", "科技主管部门"
    OPERATOR = "operator", "交易中心"


class OrganisationSubkind(Word):
    """What a service institution does, or which office a government organisation is."""

    ASSESSOR = "assessor", "评估机构"
    IP_FIRM = "ip_firm", "知识产权服务机构"
    FINANCE = "finance", "金融机构"
    PARK = "park", "科技园区"
    AGENCY = "agency", "技术转移转化服务机构"
    DISTRICT = "district", "区县科技主管部门"
    PROMOTION_CENTRE = "promotion_centre", "创新促进中心"
    BUREAU = "bureau", "市科技局"
    FINANCE_BUREAU = "finance_bureau", "财政局"


class District(Word):
    """Jinan's districts, counties and functional zones (GB/T 2260; the zones by the city)."""

    LIXIA = "lixia", "历下区"
    SHIZHONG = "shizhong", "市中区"
    HUAIYIN = "huaiyin", "槐荫区"
    TIANQIAO = "tianqiao", "天桥区"
    LICHENG = "licheng", "历城区"
    CHANGQING = "changqing", "长清区"
    ZHANGQIU = "zhangqiu", "章丘区"
    JIYANG = "jiyang", "济阳区"
    LAIWU = "laiwu", "莱芜区"
    GANGCHENG = "gangcheng", "钢城区"
    PINGYIN = "pingyin", "平阴县"
    SHANGHE = "shanghe", "商河县"
    HIGH_TECH_ZONE = "high_tech_zone", "高新区"
    START_UP_AREA = "start_up_area", "起步区"
    SOUTHERN_MOUNTAINS = "southern_mountains", "南部山区"
    LAIWU_HIGH_TECH_ZONE = "laiwu_high_tech_zone", "莱芜高新区"


class Scale(Word):
    """The size of an enterprise (工信部联企业〔2011〕300号)."""

    LARGE = "large", "大型"
    MEDIUM = "medium", "中型"
    SMALL = "small", "小型"
    MICRO = "micro", "微型"


class OrganisationState(Word):
    """Where an organisation stands with the operator."""

    REGISTERED = "registered", "待核验", "run"
    VERIFIED = "verified", "已核验", "ok"
    REJECTED = "rejected", "核验未通过", "danger"
    SUSPENDED = "suspended", "已暂停", "danger"


SELLER_KINDS = frozenset(
    {
        OrganisationKind.UNIVERSITY,
        OrganisationKind.RESEARCH_INSTITUTE,
        OrganisationKind.NEW_RD_INSTITUTION,
        OrganisationKind.INNOVATION_COMMUNITY,
    }
)
# Only these register themselves; government and operator accounts are made by the operator.
SELF_REGISTERED = tuple(
    kind
    for kind in OrganisationKind
    if kind not in (OrganisationKind.GOVERNMENT, OrganisationKind.OPERATOR)
)

_RESEARCH_ROLES = frozenset(
    {
        Role.ORG_ADMIN,
        Role.OFFICER,
        Role.COLLEGE_APPROVER,
        Role.LEADER,
        Role.INVENTOR,
        Role.EXPERT,
        Role.ENTERPRISE,
    }
)
_GOVERNMENT_ROLES = {
    OrganisationSubkind.DISTRICT: frozenset({Role.DISTRICT_REVIEWER}),
    OrganisationSubkind.PROMOTION_CENTRE: frozenset({Role.CENTRE_REVIEWER}),
    OrganisationSubkind.BUREAU: frozenset({Role.BUREAU_REVIEWER}),
    OrganisationSubkind.FINANCE_BUREAU: frozenset({Role.TREASURER}),
}
_SERVICE_ROLES = {
    OrganisationSubkind.ASSESSOR: frozenset({Role.PROVIDER, Role.ASSESSOR, Role.EXPERT}),
    OrganisationSubkind.AGENCY: frozenset({Role.BROKER, Role.AGENCY_HEAD, Role.PROVIDER}),
}

REGISTER = Permission("accounts.register", None, verified=False)
MANAGE_MEMBERS = Permission("accounts.manage_members", frozenset({Role.ORG_ADMIN}), verified=False)
VERIFY = Permission("accounts.verify", frozenset({Role.OPERATOR}))


def roles_of(
    kind: OrganisationKind, subkinds: Iterable[OrganisationSubkind] = ()
) -> frozenset[Role]:
    """Return the roles that members of such an organisation can hold."""
    if kind in SELLER_KINDS:
        return _RESEARCH_ROLES
    if kind is OrganisationKind.ENTERPRISE:
        return frozenset(
            {Role.ORG_ADMIN, Role.ENTERPRISE, Role.OFFICER, Role.INVENTOR, Role.EXPERT}
        )
    if kind is OrganisationKind.SERVICE_INSTITUTION:
        held = [_SERVICE_ROLES.get(subkind, frozenset({Role.PROVIDER})) for subkind in subkinds]
        return frozenset({Role.ORG_ADMIN, Role.PROVIDER, Role.EXPERT}).union(*held)
    if kind is OrganisationKind.REGISTRAR:
        return frozenset({Role.ORG_ADMIN, Role.REGISTRAR})
    if kind is OrganisationKind.GOVERNMENT:
        held = [_GOVERNMENT_ROLES.get(subkind, frozenset()) for subkind in subkinds]
        return frozenset({Role.ORG_ADMIN, Role.EXPERT}).union(*held)
    return frozenset({Role.ORG_ADMIN, Role.OPERATOR})


def first_roles(
    kind: OrganisationKind, subkinds: Iterable[OrganisationSubkind] = ()
) -> frozenset[Role]:
    """Return the roles of the person who registers an organisation: its admin, ready to work."""
    working = {Role.OFFICER, Role.ENTERPRISE, Role.PROVIDER, Role.ASSESSOR, Role.BROKER}
    working |= {Role.AGENCY_HEAD, Role.REGISTRAR}
    possible = roles_of(kind, subkinds)
    if kind in SELLER_KINDS:
        working -= {Role.ENTERPRISE}
    if kind is OrganisationKind.ENTERPRISE:
        working |= {Role.ENTERPRISE}
    return frozenset({Role.ORG_ADMIN} | (possible & working))


def check_subkinds(kind: OrganisationKind, subkinds: Iterable[OrganisationSubkind]) -> None:
    """Refuse a service institution without a service and subkinds that do not fit the kind."""
    chosen = set(subkinds)
    offices = set(_GOVERNMENT_ROLES)
    if kind is OrganisationKind.SERVICE_INSTITUTION:
        if not chosen or chosen & offices:
            raise RuleBroken("accounts.subkinds", "服务机构请至少选择一项服务类别", "subkinds")
    elif kind is OrganisationKind.GOVERNMENT:
        if len(chosen) != 1 or not chosen <= offices:
            raise RuleBroken("accounts.subkinds", "请选择主管部门的类别", "subkinds")
    elif chosen:
        raise RuleBroken(
            "accounts.subkinds",
            "只有服务机构才选择服务类别；若贵单位提供服务，请把机构类型改为“服务机构”",
            "subkinds",
        )


def check_roles(
    roles: Iterable[Role], kind: OrganisationKind, subkinds: Iterable[OrganisationSubkind]
) -> None:
    """Refuse roles that members of such an organisation cannot hold, and an empty choice."""
    chosen = frozenset(roles)
    if not chosen:
        raise RuleBroken("accounts.no_role", "请至少选择一个角色", "roles")
    wrong = chosen - roles_of(kind, subkinds)
    if wrong:
        names = "、".join(sorted(role.label for role in wrong))
        raise RuleBroken("accounts.role", f"{kind.label}的成员不能担任：{names}", "roles")


MINIMUM_PASSWORD = 12
# Words anybody would try first on this site (ASVS 6.2.11), beside the person's own names.
_CONTEXT_WORDS = ("济南", "jinan", "交易中心", "科技成果", "jishu", "keji")
_COMMON = frozenset(
    {
        "123456789012",
        "1234567890123",
        "password1234",
        "password12345",
        "passwordpassword",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwerty123456",
        "abcdefghijkl",
        "abc123456789",
        "admin1234567",
        "administrator",
        "iloveyou1234",
        "woaini1314520",
        "1qaz2wsx3edc",
        "zaq12wsxcde3",
        "a1234567890b",
        "letmeinletmein",
        "welcome12345",
        "changeme1234",
        "qazwsxedcrfv",
        "1q2w3e4r5t6y",
        "asdfghjkl123",
        "zxcvbnm12345",
        "woaini123456",
        "5201314520131",
        "147258369147",
    }
)


def check_password(password: str, *, names: Iterable[str]) -> None:
    """Refuse a password that is short, common, or made of names known here (OWASP ASVS 6.2)."""
    problems: list[Problem] = []

    def refuse(code: str, message: str) -> None:
        problems.append(Problem(f"password.{code}", message, "password"))

    if len(password) < MINIMUM_PASSWORD:
        refuse("short", f"密码至少 {MINIMUM_PASSWORD} 个字符，可以用一句自己记得住的话")
    lowered = password.lower()
    if lowered in _COMMON or len(set(lowered)) < 5:
        refuse("common", "这个密码太常见，容易被猜到，请换一个")
    known = [word for word in (*_CONTEXT_WORDS, *(name.lower() for name in names)) if len(word) > 1]
    stripped = lowered
    for word in known:
        stripped = stripped.replace(word, "")
    if len(stripped) < 8:
        refuse("context", "密码主要由平台名、单位名、姓名或邮箱组成，容易被猜到，请换一个")
    raise_if_any(problems)


FAILURES_PER_PAIR = 5
FAILURES_PER_ADDRESS = 40
FAILURE_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Failures:
    """Failed sign-ins within the window: for this account from this address, and the address."""

    pair: int
    address: int
    last_at: datetime | None


def wait_before_sign_in(failures: Failures, *, now: datetime) -> timedelta:
    """Return how long to wait before the next attempt; zero when it may be made at once.

    Counted by account *and* address, so that nobody locks another person out from afar.
    """
    locked = failures.pair >= FAILURES_PER_PAIR or failures.address >= FAILURES_PER_ADDRESS
    if not locked or failures.last_at is None:
        return timedelta()
    return max(timedelta(), failures.last_at + FAILURE_WINDOW - now)


IDLE_LIMIT = timedelta(minutes=30)
ABSOLUTE_LIMIT = timedelta(hours=12)
STAFF_LIMIT = timedelta(hours=8)
_STAFF = frozenset(
    {
        Role.OPERATOR,
        Role.DISTRICT_REVIEWER,
        Role.CENTRE_REVIEWER,
        Role.BUREAU_REVIEWER,
        Role.TREASURER,
        Role.REGISTRAR,
    }
)


def session_alive(
    *, opened_at: datetime, seen_at: datetime, roles: frozenset[Role], now: datetime
) -> bool:
    """Tell whether a session still counts: idle 30 minutes, in all 12 hours, staff 8 (ASVS 7.3)."""
    limit = STAFF_LIMIT if roles & _STAFF else ABSOLUTE_LIMIT
    return now - seen_at <= IDLE_LIMIT and now - opened_at <= limit


# Each browser also names those it descends from, so the most particular comes first.
_BROWSERS = (
    ("MicroMessenger/", "微信"),
    ("DingTalk/", "钉钉"),
    ("QQBrowser/", "QQ 浏览器"),
    ("Edg/", "Edge"),
    ("Firefox/", "火狐"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Name a browser and its system in words that its owner recognises."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "其他浏览器")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "其他设备")
    return f"{browser}，{system}"
