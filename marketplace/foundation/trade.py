"""Words that several slices share: what a technology is about, and how it is traded."""

from __future__ import annotations

from typing import Self

from marketplace.foundation.words import Word


class TechnologyField(Word):
    """技术领域, the eleven of the technology contract registration form."""

    ELECTRONICS = "electronics", "电子信息"
    AEROSPACE = "aerospace", "航空航天"
    MANUFACTURING = "manufacturing", "先进制造"
    BIOMEDICINE = "biomedicine", "生物医药和医疗器械"
    MATERIALS = "materials", "新材料及其应用"
    ENERGY = "energy", "新能源与高效节能"
    ENVIRONMENT = "environment", "环境保护与资源综合利用"
    NUCLEAR = "nuclear", "核应用"
    AGRICULTURE = "agriculture", "农业"
    TRANSPORT = "transport", "现代交通"
    URBAN = "urban", "城市建设与社会发展"

    @classmethod
    def labelled(cls, label: str) -> Self | None:
        """Find the field by its Chinese name, or return None."""
        return next((field for field in cls if field.label == label.strip()), None)


class TradingMode(Word):
    """How a technology changes hands, or is worked on together (转化方式)."""

    TRANSFER = "transfer", "转让"
    LICENCE_EXCLUSIVE = "licence_exclusive", "独占许可"
    LICENCE_SOLE = "licence_sole", "排他许可"
    LICENCE_ORDINARY = "licence_ordinary", "普通许可"
    OPEN_LICENCE = "open_licence", "开放许可"
    EQUITY = "equity", "作价入股"
    DEVELOPMENT = "development", "技术开发"
    SERVICE = "service", "技术服务"
    TRIAL = "trial_before_payment", "先使用后付费"


class PaymentMode(Word):
    """How a price is paid (支付方式), as the technology contract registration form lists it."""

    LUMP_SUM = "lump_sum", "一次总付"
    INSTALMENTS = "instalments", "分期支付"
    ROYALTY = "royalty", "提成支付"
    ENTRY_FEE_ROYALTY = "entry_fee_royalty", "入门费加提成"
