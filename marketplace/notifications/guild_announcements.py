"""Who is told of training and of the yearly reviews of agencies."""

from __future__ import annotations

from marketplace.foundation.access import Role
from marketplace.notifications.announcing import Announcement, everybody, members_of, person
from marketplace.notifications.rules import MessageKind
from marketplace.reviews import events as reviews
from marketplace.training import events as training

_AGENCY = members_of("organisation_id", Role.AGENCY_HEAD, Role.ORG_ADMIN)
_CONDUCTING = everybody(Role.OPERATOR, Role.BUREAU_REVIEWER)
_REVIEW = {"review_id": "review_id"}
_PERSON = person("user_id")
_COURSE = {"course_id": "course_id"}

ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        reviews.ReviewOpened,
        MessageKind.DEAL,
        _AGENCY,
        "{year} 年度评价：请核对数据",
        "平台已算出贵机构的年度数据，请在 {confirm_by} 以前补充并确认，逾期按现有数据评定。",
        "reviews.review",
        _REVIEW,
    ),
    Announcement(
        reviews.ReviewConfirmed,
        MessageKind.DEAL,
        _CONDUCTING,
        "待评定：{organisation} {year} 年度评价",
        "{organisation}已确认年度数据。",
        "reviews.review",
        _REVIEW,
    ),
    Announcement(
        reviews.ReviewPublished,
        MessageKind.DEAL,
        _AGENCY,
        "{year} 年度评价结果：{grade_label}",
        "结果已公布。有异议的，在 {appeal_by} 以前申诉；期满后生效。",
        "reviews.review",
        _REVIEW,
    ),
    Announcement(
        reviews.ReviewAppealed,
        MessageKind.DEAL,
        _CONDUCTING,
        "年度评价申诉：{organisation}",
        "{organisation}对 {year} 年度评价结果提出申诉，请由未作原评定的人处理。",
        "reviews.review",
        _REVIEW,
    ),
    Announcement(
        reviews.ReviewAppealDecided,
        MessageKind.DEAL,
        _AGENCY,
        "{year} 年度评价申诉结果",
        "{outcome}。{reason}",
        "reviews.review",
        _REVIEW,
    ),
    Announcement(
        training.CoursePlaceOffered,
        MessageKind.DEAL,
        _PERSON,
        "候补转为报名：{course_title}",
        "有人取消了报名，名额给了您。{starts_at} 开课，不能参加的请取消报名。",
        "training.course",
        _COURSE,
    ),
    Announcement(
        training.CourseCancelled,
        MessageKind.DEAL,
        _PERSON,
        "课程已取消：{course_title}",
        "原因：{reason}",
        "training.course",
        _COURSE,
    ),
    Announcement(
        training.AttendanceStruck,
        MessageKind.DEAL,
        _PERSON,
        "签到被划掉：{course_title}",
        "组织者核对 {day} 到场时没有看到您，当天学时不计。您在场的，请当天找现场组织者恢复。",
        "training.course",
        {"course_id": "course_id"},
    ),
    Announcement(
        training.TrainingCertificateRevoked,
        MessageKind.DEAL,
        _PERSON,
        "培训证书已撤销：{number}",
        "理由：{reason}。名录不再显示这张证书；有异议请联系交易中心。",
        "training.index",
    ),
    Announcement(
        training.TrainingCertificateIssued,
        MessageKind.DEAL,
        _PERSON,
        "培训证书：{course_title}",
        "证书编号 {number}，有效至 {valid_to}，已记入名录。",
        "training.index",
    ),
)
