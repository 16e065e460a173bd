"""The shapes of meetings: announcing, cancelling, signing up."""

from __future__ import annotations

from datetime import datetime

from marketplace.accounts.rules import District
from marketplace.foundation import web
from marketplace.foundation.clock import LOCAL
from marketplace.techservices.rules import MeetingKind
from marketplace.techservices.service import MeetingContent


class MeetingForm(web.Form):
    """A meeting to announce; it begins and ends on one day."""

    kind = web.ChoiceField("种类", MeetingKind, required=True)
    title = web.TextField("活动名称", required=True, longest=100)
    held_on = web.DateField("日期", required=True)
    starts_at = web.ClockField(
        "开始时间", required=True, placeholder="14:00", hint="24 小时制，如 14:30"
    )
    ends_at = web.ClockField(
        "结束时间", required=True, placeholder="17:00", hint="24 小时制，如 14:30"
    )
    place = web.TextField("地点", required=True, longest=200, hint="线上活动写入会方式")
    district = web.ChoiceField("所在区县", District, empty="线上或市外")
    capacity = web.IntField("名额", least=1, most=2000, required=True, unit="人")
    vouchers = web.FlagField("参加者可用活动券", hint="每张 50 元，每场最多 200 张")
    body = web.LongTextField(
        "介绍", required=True, longest=5000, rows=6, hint="谁来、讲什么、要带什么"
    )

    def content(self) -> MeetingContent:
        """Return the meeting as typed."""
        return MeetingContent(
            kind=self.kind.data,
            title=self.title.data,
            body=self.body.data,
            place=self.place.data,
            starts_at=datetime.combine(self.held_on.data, self.starts_at.data, tzinfo=LOCAL),
            ends_at=datetime.combine(self.held_on.data, self.ends_at.data, tzinfo=LOCAL),
            capacity=self.capacity.data,
            district=self.district.data,
            vouchers=bool(self.vouchers.data),
        )


class SignUpForm(web.Form):
    """A place at a meeting."""

    note = web.TextField("想找什么或带什么来", longest=300, hint="选填，主办方据此安排座位和对接")


class CancelForm(web.Form):
    """Why a meeting will not take place."""

    reason = web.LongTextField(
        "取消的原因", required=True, longest=500, rows=2, hint="会告知所有报名的人"
    )
