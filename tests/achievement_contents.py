"""Contents of achievements and needs that are complete, for tests to start from."""

from __future__ import annotations

from datetime import date
from typing import Any

from marketplace.accounts.queries import OrganisationView
from marketplace.achievements.rules import (
    AchievementContent,
    Comparison,
    EvidenceClass,
    FieldGroup,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
    Visibility,
)
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.needs.rules import Indicator, NeedContent


def complete_content(organisation: OrganisationView | None, **changed: Any) -> AchievementContent:
    """Return content that lacks nothing, owned by the organisation."""
    fields: dict[str, Any] = {
        "title": "低温脱硝催化剂：180 ℃ 去除率 92 %",
        "problem": "焦炉烟气温度多在 180 至 220 ℃，常规催化剂要先用燃气加热烟气才起作用。",
        "solution": "以锰铈复合氧化物为活性组分，用铌修饰表面酸性位，抑制硫酸铵沉积。",
        "benefit": "一条年产 100 万吨焦炭的线每年少用燃气 118 万立方米。",
        "comparison": (
            Comparison("脱硝率（180 ℃）", "92", "%", "钒钛催化剂", "41", EvidenceClass.THIRD_PARTY),
        ),
        "field": TechnologyField.ENVIRONMENT,
        "industry_code": "C2520",
        "industry_name": "炼焦",
        "ipc": ("B01D53/86",),
        "trl": 7,
        "trl_evidence": "章丘一焦化企业 2 号线连续运行 5,400 小时",
        "ip_rights": (
            IPRight(
                IPKind.INVENTION,
                "ZL201210120987.1",
                "一种锰铈铌复合氧化物催化剂",
                LegalStatus.GRANTED,
                date(2012, 4, 20),
            ),
        ),
        "owners": (
            Owner(
                organisation.name if organisation else "泉城理工大学",
                10_000,
                organisation.id if organisation else 1,
            ),
        ),
        "inventors": (Inventor("丁文韬"),),
        "fiscal_funded": False,
        "modes": (TradingMode.LICENCE_ORDINARY,),
        "price_fen": Fen(180_000_000),
        "visibility": {FieldGroup.SOLUTION: Visibility.PUBLIC},
        "keywords": ("低温脱硝", "催化剂"),
        "confidential": "前驱体在 320 ℃ 分两段焙烧。",
    }
    return AchievementContent(**(fields | changed))


def complete_need(**changed: Any) -> NeedContent:
    """Return a need that lacks nothing."""
    fields: dict[str, Any] = {
        "title": "薄壁铝压铸件气孔率降到 2 % 以下",
        "problem": "现用真空压铸，气孔率 4.5 %，加工后返工占三成，每月报废约 12 万元。",
        "present_solution": "提高过真空度，节拍拖到 70 秒，仍然降不到 3 %。",
        "indicators": (Indicator("气孔率", "4.5", "≤2", "%"),),
        "budget_min_fen": Fen(30_000_000),
        "budget_max_fen": Fen(80_000_000),
        "deadline": date(2024, 9, 30),
        "modes": (TradingMode.DEVELOPMENT,),
        "field": TechnologyField.MANUFACTURING,
        "industry_code": "C3392",
        "industry_name": "有色金属铸造",
        "region_code": "370114",
        "expert_terms": ("真空压铸", "除气"),
        "confidential": "客户是某主机厂，图号 ZY-3381。",
    }
    return NeedContent(**(fields | changed))
