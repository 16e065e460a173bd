"""Dates, numbers and amounts of a page stay on one line; all else is left as it was."""

from __future__ import annotations

import pytest

from marketplace.foundation.web.figures import keep_whole


@pytest.mark.parametrize(
    "figure",
    [
        "2024-03-15",
        "2024-03-15 09:00",
        "2024-03-15 09:00:27",
        "GP-2024-0001",
        "JNPX-Z-2024-0001",
        "0531-88000003",
        "2B6E-98CE",
        "1,200,000.00 元",
        "320 万元",
        "92 %",
    ],
)
def test_a_figure_is_kept_whole(figure: str) -> None:
    kept = f'<span class="nb">{figure}</span>'
    assert (
        keep_whole(f"<p>自{figure}起，<b>{figure}</b></p>") == f"<p>自{kept}起，<b>{kept}</b></p>"
    )


@pytest.mark.parametrize(
    "page",
    [
        "<time datetime=\"2024-03-15\" title='a > b 2024-03-15'>今天</time>",
        "<title>GP-2024-0001</title>",
        "<script>const at = '2024-03-15'</script>",
        "<textarea>2024-03-15</textarea>",
        "<select><option>2024-03-15</option></select>",
        '<datalist id="d"><option>2024-03-15</option></datalist>',
        '<svg viewBox="0 0 9 9"><text>2024-03-15</text></svg>',
        "<pre>2024-03-15</pre>",
        "<code>2B6E-98CE</code>",
        '<button class="btn">确认已支付 118,800.00 元</button>',
        "<summary>公告前核对，2024-03-13 14:20<svg></svg></summary>",
        "<p>e-mail，低温-脱硝，12 台</p>",
        # A phone has no line that would hold it.
        "<p>7f9c24e8-3b12-4f6d-9a51-0c9e5d2b8a47</p>",
    ],
)
def test_the_rest_is_left_alone(page: str) -> None:
    assert keep_whole(page) == page
