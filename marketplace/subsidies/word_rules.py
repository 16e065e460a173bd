"""The words of the subsidy rules that policy files, calculation and claims share."""

from __future__ import annotations

from marketplace.foundation.words import Word


class Item(Word):
    """What is subsidised, named after the role in which an organisation earns it."""

    SELLER = "seller", "卖方补助"
    BUYER = "buyer", "买方补助"
    AGENCY = "agency", "服务机构补助"
    REGISTRAR = "registrar", "登记机构补助"

    @property
    def party(self) -> str:
        """Return the Chinese name of the role itself."""
        return self.label.removesuffix("补助")


class ClaimItem(Word):
    """What can be claimed: the items on contracts, and what is paid for one occasion each."""

    SELLER = "seller", "卖方补助"
    BUYER = "buyer", "买方补助"
    AGENCY = "agency", "服务机构补助"
    REGISTRAR = "registrar", "登记机构补助"
    NATIONAL_INSTITUTION = "national_institution", "国家技术转移机构奖励"
    PROVINCIAL_INSTITUTION = "provincial_institution", "省技术转移示范机构奖励"
    ASSESSMENT_FEE = "assessment_fee", "成果评估费补助"
    TRAINING_FEE = "training_fee", "技术经理人培训费补助"
    INSTRUMENT_VOUCHER = "instrument_voucher", "大型仪器共享券兑付"
    EVENT_VOUCHER = "event_voucher", "活动券兑付"

    @property
    def contracts(self) -> Item | None:
        """Return the item of the calculation on contracts, None for what rests on other grounds."""
        return Item(self.value) if self.value in set(Item) else None

    @property
    def once(self) -> bool:
        """Tell whether an organisation gets it once and never again."""
        return self in (ClaimItem.NATIONAL_INSTITUTION, ClaimItem.PROVINCIAL_INSTITUTION)


class PartyKind(Word):
    """What an organisation is to the subsidy rules (Readings B, J, K)."""

    UNIVERSITY = "university", "高校"
    RESEARCH_INSTITUTE = "research_institute", "科研院所"
    NEW_RD_INSTITUTION = "new_rd_institution", "新型研发机构"
    INNOVATION_COMMUNITY = "innovation_community", "创新创业共同体"
    ENTERPRISE = "enterprise", "企业"
    AGENCY = "agency", "技术转移转化服务机构"
    REGISTRAR = "registrar", "技术合同登记机构"


class PolicyStatus(Word):
    """Whether a document can pay at all; whether it is in force on a day is a matter of dates."""

    ISSUED = "in_force", "已发布", "ok"
    DRAFT = "draft", "征求意见稿", "warn"


class Base(Word):
    """Which amount of a contract is multiplied by the rate."""

    AMOUNT = "amount", "合同成交额"
    TECHNOLOGY_AMOUNT = "technology_amount", "技术交易额"
    TAX_EXEMPT_AMOUNT = "tax_exempt_amount", "免税额"


class Reason(Word):
    """Why a contract does not count, in the order in which reasons are given."""

    FISCAL_FUNDS = "fiscal_funds", "用财政资金购买"
    ACTIVITY_ALREADY_COUNTED = "activity_already_counted", "同一活动已由更早登记的合同计过"
    NOT_IN_CITY = "not_in_city", "不在济南"
    SELLER_NOT_ELIGIBLE = "seller_not_eligible", "卖方不属于规定的单位"
    TYPE_NOT_COVERED = "type_not_covered", "合同类型不在范围内"
    NOT_FILED = "not_filed", "登记当日服务机构没有有效备案"
    POLICY_NOT_IN_FORCE = "policy_not_in_force", "登记当日文件没有施行"
    COUNTED_IN_OTHER_ROLE = "counted_in_other_role", "已按另一身份计入"


class Obstacle(Word):
    """Why an organisation as such earns nothing from an item of a document."""

    NOT_IN_CITY = "claimant_not_in_city", "单位不在济南登记注册"
    KIND_NOT_ELIGIBLE = "claimant_kind_not_eligible", "单位类型不在范围内"
    NOT_SME = "claimant_not_sme", "单位不是中小微企业"
    DISHONEST = "claimant_dishonest", "年末处于科研失信记录期"
    BELOW_THRESHOLD = "below_threshold", "全年合计没有达到门槛"
