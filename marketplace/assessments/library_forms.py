"""The shapes of what the operator enters into the library of assessors."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms.validators import ValidationError

from marketplace.assessments.library_rules import ExpertGrade, HouseGrade, TieKind
from marketplace.foundation import web
from marketplace.foundation.trade import TechnologyField


class HouseForm(web.Form):
    """A house's grade and fields."""

    id_prefix = "house"
    organisation = web.ChoiceField("评估机构", [], required=True)
    grade = web.ChoiceField("类别", HouseGrade, required=True)
    fields = web.ChoicesField("擅长领域", TechnologyField, required=True)
    basis = web.TextField("依据", required=True, longest=200, hint="备案或资质文号")

    def offer(self, houses: Sequence[tuple[int, str]]) -> None:
        """Offer the verified assessment houses."""
        self.organisation.offer([("", "请选择"), *((str(key), name) for key, name in houses)])


class ExpertForm(web.Form):
    """An expert's title and fields."""

    id_prefix = "expert"
    user = web.ChoiceField("专家", [], required=True, hint="列出具有评审专家或评估师角色的人")
    grade = web.ChoiceField("职称", ExpertGrade, required=True)
    fields = web.ChoicesField("研究领域", TechnologyField, required=True)
    basis = web.TextField("依据", required=True, longest=200, hint="职称证书号或聘任文件")

    def offer(self, people: Sequence[tuple[int, str]]) -> None:
        """Offer the people who hold an expert's role."""
        self.user.offer([("", "请选择"), *((str(key), name) for key, name in people)])


class ReleaseForm(web.Form):
    """Why an expert leaves the library."""

    reason = web.TextField("出库的原因", required=True, longest=200)


class TieForm(web.Form):
    """What ties two organisations."""

    id_prefix = "tie"
    first = web.UsccField("单位一的统一社会信用代码", required=True)
    second = web.UsccField("单位二的统一社会信用代码", required=True)
    kind = web.ChoiceField("关系", TieKind, required=True)
    since = web.DateField("自", required=True)
    until = web.DateField("至", hint="仍在持续的不填")
    source = web.TextField("依据", required=True, longest=200, hint="如工商登记的股东信息")

    def validate_until(self, field: web.DateField) -> None:
        """Refuse days in reverse beside the field, whatever else is wrong."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError("结束日不能早于开始日，请核对两个日期")
