"""The states that a person at the station may meet, with their words: for tests, and for `tools/take_screens.py`.

The words are those of the templates; where a sentence is put together (a verdict, a dash, a reason), so it stands here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.api import FaultView, HandedOverView, LinkView, Listing, Notice, SessionState, Verdict
from appliance.places import GapView
from tests.web_ui.fakes import LAN, MINH, FakeStation, capture_view, job_view
from wire.documents import FindingEntry, Severity


@dataclass(frozen=True)
class State:
    """One state: its key, how the station stands, what is said, and where.

    Attributes:
        key: of the state.
        prepare: brings the station into it.
        vi: what stands on the screen.
        en: likewise.
        path: the page.
        stops: whether no picture can be taken: then it says what is safe, has a code and at most three steps.
        code: that can be read over the telephone.
        reveals: what the page itself shows in this state, without a word from the station.
    """

    key: str
    prepare: Callable[[FakeStation], object]
    vi: tuple[str, ...]
    en: tuple[str, ...]
    path: str = "/"
    stops: bool = False
    code: str = ""
    reveals: str = ""


def _stand(station: FakeStation, **changes: object) -> None:
    last = capture_view(8)
    values: dict[str, object] = {
        "state": SessionState.READY,
        "job": job_view(*(capture_view(n) for n in range(1, 8)), last),
        "last": last,
        "fault": None,
        "notice": None,
        "link": LinkView("online", 0, 0, 0),
        "safe_captures": 8,
        "queue_length": 0,
        "room_for_captures": 21_000,
        "clock_synchronised": True,
        "is_reviewing": False,
        "slot": None,
        "people": (LAN, MINH),
        "person": LAN,
        "handed_over": (),
        "hot_c": None,
        "is_power_low": False,
    }
    station.listed = None
    station.show(**(values | changes))


def _with(**changes: object) -> Callable[[FakeStation], None]:
    return lambda station: _stand(station, **changes)


def _found(code: str, severity: Severity, verdict: Verdict, value: float = 3.0) -> Callable[[FakeStation], None]:
    finding = FindingEntry(code=code, severity=severity, value=value, limit=1.0)
    last = capture_view(8, verdict, right=(finding,))
    job = job_view(*(capture_view(n) for n in range(1, 8)), last, to_fix=int(verdict is Verdict.BAD))
    return _with(job=job, last=last)


def _unsure(station: FakeStation) -> None:
    last = capture_view(8, Verdict.UNSURE)
    _stand(station, job=job_view(last), last=last)


def _gap(station: FakeStation) -> None:
    captures = [capture_view(n) for n in range(1, 9)]
    _stand(station, job=job_view(*captures), is_reviewing=True)
    labels = {one.capture_id: (str(2 * one.number), str(2 * one.number + 1)) for one in captures}
    station.listed = Listing(tuple(captures), labels, (GapView("42", "43", "capture-4", "capture-5"),), 0)


def _to_do(station: FakeStation) -> None:
    captures = [capture_view(n) for n in range(1, 8)]
    blurred = FindingEntry(code="blur", severity="bad", value=3.1, limit=1.8)
    captures.append(capture_view(8, Verdict.BAD, right=(blurred,)))
    _stand(station, job=job_view(*captures, to_fix=1), is_reviewing=True)
    station.listed = Listing(tuple(captures))


def _done(station: FakeStation, confirmed: int, *, complete: bool) -> None:
    done = HandedOverView("job-1", "Chuyện bên sông Trà", 8, confirmed, complete, "QNG-003187", "K 12.3")
    _stand(station, state=SessionState.CLOSED, job=None, last=None, handed_over=(done,))


def _fault(code: str, part: str) -> Callable[[FakeStation], None]:
    return _with(state=SessionState.FAULT, fault=FaultView(code, part, 3))


STATES: tuple[State, ...] = (
    State("v.ok", _with(), ("ĐẠT – lật trang tiếp",), ("GOOD – turn the page",)),
    State(
        "v.blur",
        _found("blur", "bad", Verdict.BAD),
        ("CHỤP LẠI – trang phải bị mờ", "Giữ yên sách rồi nhấn bàn đạp."),
        ("RETAKE – blur on the right page", "Keep the book still and press the pedal."),
    ),
    State(
        "v.glare",
        _found("glare", "warn", Verdict.WARN),
        ("XEM LẠI – trang phải bị lóa", "Vuốt phẳng trang hoặc hạ lại kính rồi chụp lại."),
        ("CHECK – glare on the right page",),
    ),
    State(
        "v.finger",
        _found("finger", "warn", Verdict.WARN),
        ("XEM LẠI – ngón tay che trang phải", "Giữ sách ở mép ngoài rồi chụp lại."),
        ("CHECK – a finger covers the right page",),
    ),
    State(
        "v.dark",
        _found("exposure_dark", "bad", Verdict.BAD),
        ("CHỤP LẠI – ảnh quá tối", "Bật đèn rồi nhấn bàn đạp."),
        ("RETAKE – too dark",),
    ),
    State(
        "v.crop",
        _found("cut_edge", "warn", Verdict.WARN),
        ("XEM LẠI – trang phải bị mất mép", "Đặt lại sách vào giữa khung."),
        ("CHECK – edge cut off on the right page",),
    ),
    State(
        "v.skew",
        _found("skew", "warn", Verdict.WARN, 7.5),
        ("XEM LẠI – trang phải còn nghiêng 7,5°", "Đặt thẳng sách rồi chụp lại."),
        ("CHECK – the right page is still tilted by 7.5°",),
    ),
    State(
        "v.dup",
        _found("duplicate", "info", Verdict.OK),
        ("TRÙNG – giống ảnh đã chụp",),
        ("DUPLICATE – like an earlier image",),
    ),
    State("v.gap", _gap, ("Có thể thiếu trang 42–43",), ("42–43",), "/review"),
    State(
        "v.unsure",
        _unsure,
        ("CHƯA RÕ", "Nhờ bạn nhìn ảnh: chữ có đọc được không?"),
        ("NOT SURE",),
    ),
    State(
        "s.empty",
        _with(job=job_view(), last=None, safe_captures=0),
        ("Chưa có trang nào", "Đặt sách lên giá rồi nhấn bàn đạp."),
        ("No pages yet",),
    ),
    State("s.offline", _with(link=LinkView("offline", 6, 0, 0)), ("Mất mạng · 6 lần chụp chờ gửi",), ("Offline · 6",)),
    State("s.broker", _with(link=LinkView("no_server", 6, 0, 0)), ("Máy chủ vắng · 6 lần chụp chờ gửi",), ("6",)),
    State(
        "s.disk80",
        _with(notice=Notice("s.disk80", 3, {"n": 95}), room_for_captures=95),
        ("Sắp hết chỗ lưu: còn khoảng 95 lần chụp.",),
        ("95",),
    ),
    State(
        "s.disk",
        _with(state=SessionState.PAUSED, room_for_captures=0),
        ("Hết chỗ lưu – tạm dừng chụp", "16 trang đã an toàn."),
        ("16 pages are safe.",),
    ),
    State(
        "s.write",
        _fault("DISK-02", "disk"),
        ("Không ghi được vào ổ đĩa", "Để yên trạm một phút, máy sẽ tự thử lại"),
        (),
        stops=True,
        code="DISK-02",
    ),
    State(
        "s.cam",
        _fault("CAM-02", "camera:0"),
        ("Mất kết nối máy ảnh", "Máy đang tự thử lại, lần 3."),
        (),
        stops=True,
        code="CAM-02",
    ),
    State("s.part", _fault("HW-01", "camera-0"), ("Một bộ phận không trả lời",), (), stops=True, code="HW-01"),
    State("s.hot", _with(hot_c=84), ("Máy nóng 84 °C – tự chạy chậm lại (HOT-01).",), ("Hot, 84 °C",), code="HOT-01"),
    State(
        "s.power",
        _with(is_power_low=True),
        ("Nguồn điện yếu. Kiểm tra bộ nguồn (PWR-01).",),
        ("Low power. Check the power supply (PWR-01).",),
        code="PWR-01",
    ),
    State(
        "s.clock",
        _with(clock_synchronised=False),
        ("Đồng hồ chưa chỉnh",),
        ("Clock not set",),
    ),
    State("s.stale", _with(), ("Hình xem trước dừng", "Vẫn chụp được."), ("Capture still works.",), reveals="#stale"),
    State(
        "s.lost", _with(), ("Màn hình mất kết nối với trạm.",), ("This screen has lost the station",), reveals="#lost"
    ),
    State(
        "s.second",
        _with(),
        ("Trang chụp cũng đang mở ở màn hình khác.",),
        ("The capture page is open on another screen too.",),
        reveals="#elsewhere",
    ),
    State(
        "s.hash",
        _with(link=LinkView("online", 0, 0, 2)),
        ("2 lần chụp hỏng trên ổ đĩa (DISK-06)",),
        ("(DISK-06)",),
        code="DISK-06",
    ),
    State("s.rejected", _with(link=LinkView("online", 0, 2, 0)), ("Trung tâm không nhận 2 lần chụp",), ("2",)),
    State(
        "s.boot",
        _with(notice=Notice("s.boot", 7, {"n": 8})),
        ("Đã có điện lại. Lần chụp cuối an toàn: 8.",),
        ("8",),
    ),
    State(
        "s.paused",
        _with(state=SessionState.PAUSED),
        ("Tạm nghỉ – nhấn bàn đạp để tiếp tục", "8 lần chụp đã an toàn ở trạm."),
        (),
    ),
    State("h.gate", _to_do, ("Bàn giao (còn 1 việc bắt buộc)",), ("Hand over (1 required left)",), "/review"),
    State(
        "h.sent",
        lambda station: _done(station, 6, complete=False),
        ("Máy chủ đã xác nhận 6/8 lần chụp",),
        ("6/8",),
    ),
    State(
        "h.done",
        lambda station: _done(station, 8, complete=True),
        ("Máy chủ xác nhận đủ 8/8 lần chụp",),
        ("8/8",),
    ),
)
