"""Forms of the data room."""

from __future__ import annotations

from marketplace.brokerage.room_rules import FileReach
from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED


class RoomFilesForm(web.Form):
    """Files for the data room."""

    attachments = web.FilesField(
        "文件",
        required=True,
        missing="请选择要放进资料室的文件",
        hint=f"{ACCEPTED}；PDF 和图片会加上打开人的姓名、单位和时间，其他格式不能加水印",
    )
    reach = web.ChoiceField("谁能打开", FileReach, required=True, radio=True)


class RoomLinkForm(web.Form):
    """A personal link to a file."""

    person = web.ChoiceField("发给谁", [], required=True)
    valid_to = web.DateField("有效期至", required=True)
    single_use = web.FlagField("只能打开一次")


class RoomCloseForm(web.Form):
    """Why the data room is closed."""

    reason = web.TextField("关闭的理由", required=True, longest=200)
