"""Who may do what: roles, actors and permissions. Deny by default.

Slices declare their permissions in ``rules.py``; views and services ask here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.foundation.errors import NotAllowed, NotFound
from marketplace.foundation.words import Word


class Role(Word):
    """What a member does for an organisation; a person may hold several."""

    ORG_ADMIN = "org_admin", "机构管理员"
    OFFICER = "officer", "科研管理员"
    COLLEGE_APPROVER = "college_approver", "学院审批人"
    LEADER = "leader", "单位领导"
    INVENTOR = "inventor", "发明人"
    ENTERPRISE = "enterprise", "企业经办人"
    BROKER = "broker", "技术经理人"
    AGENCY_HEAD = "agency_head", "转化机构负责人"
    PROVIDER = "provider", "服务机构经办人"
    ASSESSOR = "assessor", "评估师"
    EXPERT = "expert", "评审专家"
    REGISTRAR = "registrar", "技术合同登记员"
    DISTRICT_REVIEWER = "district_reviewer", "区县初审员"
    CENTRE_REVIEWER = "centre_reviewer", "创新促进中心审核员"
    BUREAU_REVIEWER = "bureau_reviewer", "市科技局审核员"
    TREASURER = "treasurer", "财政支付经办人"
    OPERATOR = "operator", "交易中心业务员"


@dataclass(frozen=True)
class Actor:
    """The person who acts, for one organisation; all ``None`` for the public and the system."""

    user_id: int | None
    organisation_id: int | None
    roles: frozenset[Role] = field(default_factory=frozenset)
    name: str = ""
    organisation_name: str = ""
    verified: bool = False
    # What acts in the person's place, a token for example; stands in the audit beside the name.
    through: str = ""
    suspended: bool = False

    @property
    def signed_in(self) -> bool:
        """Tell whether a person is behind it."""
        return self.user_id is not None

    def has(self, *roles: Role) -> bool:
        """Tell whether the actor holds one of the roles."""
        return not self.roles.isdisjoint(roles)


ANONYMOUS = Actor(None, None, name="访客")
# What the worker does when a term ends or an event arrives; permitted wherever roles are asked.
SYSTEM = Actor(None, None, frozenset(Role), name="平台", organisation_name="平台", verified=True)


@dataclass(frozen=True)
class Permission:
    """A named right and the roles that hold it; ``roles`` None means everybody, signed in or not.

    ``verified`` asks that the operator has verified the actor's organisation.
    """

    name: str
    roles: frozenset[Role] | None
    verified: bool = True


PUBLIC = Permission("public", None, verified=False)
SIGNED_IN = Permission("signed_in", frozenset(Role), verified=False)


def permits(actor: Actor, permission: Permission) -> bool:
    """Tell whether the actor holds the permission."""
    if permission.roles is None:
        return True
    if actor is SYSTEM:
        return True
    if not actor.signed_in:
        return False
    if permission.verified and not actor.verified:
        return False
    if permission is SIGNED_IN:
        return True
    return actor.has(*permission.roles)


def require(actor: Actor, permission: Permission) -> None:
    """Refuse with ``NotAllowed`` and the reason when the actor lacks the permission."""
    if permits(actor, permission):
        return
    if not actor.signed_in:
        raise NotAllowed("access.sign_in", "请先登录，再办理这件事")
    if permission.verified and actor.suspended:
        raise NotAllowed(
            "access.suspended",
            "您的单位已被交易中心暂停，现在只能查看；原因和恢复条件在“单位与个人资料”里",
        )
    if permission.verified and not actor.verified:
        raise NotAllowed(
            "access.unverified",
            "您的单位还没有通过交易中心核验，暂时只能保存草稿；核验通常在 2 个工作日内完成",
        )
    holders = "、".join(role.label for role in Role if role in (permission.roles or ()))
    raise NotAllowed("access.role", f"这件事由{holders}办理，您当前的身份不能办理")


def require_own(actor: Actor, organisation_id: int | None) -> None:
    """Refuse with ``NotFound`` when the object is another organisation's: its being is no news."""
    if actor is SYSTEM:
        return
    if organisation_id is None or actor.organisation_id != organisation_id:
        raise NotFound()
