"""Kinds of organisation and who may hold which role; pure."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
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


class PaperKind(Word):
    """What an organisation shows when it is verified."""

    LICENCE = "licence", "营业执照或法人证书"
    AUTHORISATION = "authorisation", "授权书"


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
LOOK_AFTER_PEOPLE = Permission("accounts.look_after_people", frozenset({Role.OPERATOR}))


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


def check_profile_change(state: OrganisationState) -> None:
    """Refuse to change what a suspended organisation says of itself."""
    if state is OrganisationState.SUSPENDED:
        raise Conflict(
            "accounts.suspended_profile",
            "单位暂停办理期间不能修改资料，名称和地址保持暂停时的样子；可以补交证照，"
            "恢复办理后再修改，急需更正的请与交易中心联系",
        )


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
