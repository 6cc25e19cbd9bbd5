"""What the centre's pages show."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from central.api import Totals
from tests.web_ui.central_fakes import FakeCentral, station_row
from tests.web_ui.conftest import entered
from tests.web_ui.running import SECRET_KEY, TOKEN
from web_ui.central.app import create_app
from web_ui.central.views import station_card


def text_of(client: FlaskClient, path: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(path).text))


def test_an_empty_centre_says_so_in_words(tmp_path: object) -> None:
    client = entered(create_app(FakeCentral(tmp_path), token=TOKEN, secret_key=SECRET_KEY))  # type: ignore[arg-type]
    text = text_of(client, "/")
    assert "Chưa có trạm nào kết nối" in text
    assert "Chưa có tài liệu nào" in text


def test_home_names_what_needs_a_look_before_what_is_well(manager: FlaskClient) -> None:
    text, html = text_of(manager, "/"), manager.get("/").text
    assert "2 trạm cần xem, 2 trạm hoạt động bình thường" in text
    assert "41.902" in text
    assert html.index('id="station-tram-03"') < html.index('id="station-tram-01"')
    assert "Lỗi CAM-02" in text
    assert "6 chờ gửi" in text
    assert "còn 212 GB" in text
    assert "17 đạt" in text


def test_items_say_whether_they_are_whole_and_how_good_they_are(manager: FlaskClient) -> None:
    text = text_of(manager, "/")
    assert "Đã nhận đủ" in text
    assert "Còn thiếu 6 lần chụp" in text
    assert "Đang chụp ở trạm" in text
    assert "Có trang cần chụp lại" in text
    assert "Tài liệu chưa có tên" in text


@pytest.mark.parametrize(
    ("changes", "trouble", "tone"),
    [
        ({}, "", "ok"),
        ({"online": False}, "offline", "warn"),
        ({"fault": "CAM-02", "online": False}, "fault", "bad"),
        ({"rejected": 1}, "rejected", "bad"),
        ({"damaged": 1, "rejected": 1}, "damaged", "bad"),
        ({"disk_free_bytes": 10**9}, "disk", "warn"),
        ({"disk_free_bytes": 0, "disk_total_bytes": 0}, "", "ok"),
    ],
)
def test_what_is_worst_about_a_station_is_named(changes: dict[str, object], trouble: str, tone: str) -> None:
    card = station_card(station_row("tram-01", **changes))
    assert (card.trouble, card.tone) == (trouble, tone)


def test_the_fragment_is_the_overview_alone(manager: FlaskClient) -> None:
    fragment = manager.get("/?fragment=1").text.strip()
    assert fragment.startswith('<div id="overview"')
    assert "<html" not in fragment


def test_an_item_shows_its_pages_in_order_with_what_was_found(manager: FlaskClient) -> None:
    html, text = manager.get("/item/item-1").text, text_of(manager, "/item/item-1")
    assert re.findall(r'id="page-(\d+)"', html) == [str(n) for n in range(1, 13)]
    assert "Mờ" in text
    assert "2 trang" in text
    assert "Đang tạo ảnh nhỏ" in text
    assert html.count("/thumbnail/") == 11
    assert "Chưa có trang nào về tới trung tâm" in text_of(manager, "/item/item-3")


def test_a_page_has_its_neighbours_and_its_findings(manager: FlaskClient) -> None:
    html = manager.get("/item/item-1/3").text
    assert 'href="/item/item-1/2"' in html
    assert 'href="/item/item-1/4"' in html
    assert "đo 3,1, giới hạn 1,8" in html
    assert 'rel="prev"' not in manager.get("/item/item-1/1").text
    assert 'rel="next"' not in manager.get("/item/item-1/12").text


@pytest.mark.parametrize(
    "path",
    [
        "/item/none",
        "/item/..%2f",
        "/item/item-1/99",
        "/item/item-1/0",
        "/page/capture-99/left.jpg",
        "/page/capture-1/up.jpg",
        "/page/..%2f..%2f/left.jpg",
        "/thumbnail/capture-99/left.jpg",
        "/item/UPPER",
    ],
)
def test_what_is_not_there_is_not_found(manager: FlaskClient, path: str) -> None:
    assert manager.get(path).status_code == 404


def test_pictures_are_handed_on_as_received(manager: FlaskClient, central: FakeCentral) -> None:
    answer = manager.get("/page/capture-1/left.jpg", buffered=True)
    assert answer.mimetype == "image/jpeg"
    assert answer.data == central.page_file("capture-1", "left").read_bytes()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert manager.get("/thumbnail/capture-1/left.jpg", buffered=True).status_code == 200


def test_a_picture_whose_file_is_gone_is_not_found(manager: FlaskClient, central: FakeCentral) -> None:
    central.page_file("capture-1", "left").unlink()
    central.page_file = lambda capture_id, side: central.folder / "gone.jpg"  # type: ignore[method-assign]
    assert manager.get("/page/capture-1/left.jpg", buffered=True).status_code == 404


def test_blinking_a_station_is_a_post_that_says_it_was_asked(manager: FlaskClient, central: FakeCentral) -> None:
    csrf = re.search(r'name="csrf" value="([^"]+)"', manager.get("/").text)
    assert csrf
    assert manager.post("/stations/tram-02/locate").status_code == 403
    assert central.located == []
    answer = manager.post("/stations/tram-02/locate", data={"csrf": csrf[1]})
    assert answer.status_code == 303
    assert central.located == ["tram-02"]
    assert "Đã gửi yêu cầu nháy đèn" in text_of(manager, answer.location)
    assert manager.post("/stations/unknown/locate", data={"csrf": csrf[1]}).status_code == 404


def test_a_long_list_of_items_has_pages(tmp_path: object, central: FakeCentral, central_app: Flask) -> None:
    central.item_rows = central.item_rows[:1] * 150
    client = entered(central_app)
    assert "page=1" in client.get("/").text
    assert "page=0" in client.get("/?page=1").text
    assert client.get("/?page=-4").status_code == 200


def test_metrics_are_for_this_machine_and_need_no_session(central_app: Flask, central: FakeCentral) -> None:
    central.counts = Totals(1, 2, 3, 4, 5, 6)
    client = central_app.test_client()
    assert "lattrang_pages 2\n" in client.get("/metrics").text
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.168.1.9"}).status_code == 403
