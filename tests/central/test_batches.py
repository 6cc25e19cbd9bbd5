import pytest

from central.batches import read_batch
from central.errors import BatchError
from wire import codec


@pytest.mark.parametrize(
    "text",
    [
        "Barcode;Title;height_cm\nVN001;Số đỏ;20,5\nVN002;Truyện Kiều;\n",
        "barcode,title,height_cm\r\nVN001,Số đỏ,20.5\r\nVN002,Truyện Kiều,\r\n",
        'barcode,title,height_cm\nVN001,"Số đỏ","20,5"\nVN002,Truyện Kiều,\n',
    ],
)
def test_what_a_spreadsheet_writes_is_read(text: str) -> None:
    batch = read_batch(text, batch_id="b", name="Lô 1")
    assert [(one.item.barcode, one.item.title, one.height_cm) for one in batch.items] == [
        ("VN001", "Số đỏ", 20.5),
        ("VN002", "Truyện Kiều", None),
    ]
    assert len({one.item.item_id for one in batch.items}) == 2
    assert codec.decode_batch(codec.encode(batch)) == batch


def test_a_book_that_a_catalogue_knows_is_not_provisional() -> None:
    batch = read_batch("record_id;title\n77;Số đỏ\n;Số không\n", batch_id="b", name="x")
    assert [one.item.provisional for one in batch.items] == [False, True]


def test_every_faulty_line_is_named_at_once() -> None:
    text = "title;barcode;pages_expected\nA;1;many\n;;3\nB;2;3\nC;3;4;5\n"
    with pytest.raises(BatchError) as caught:
        read_batch(text, batch_id="b", name="x")
    assert caught.value.code == "BATCH-02"
    for line in ("line 2", "line 3", "line 5"):
        assert line in caught.value.message


@pytest.mark.parametrize("text", ["", "title\n", "colour;title\nred;A\n", "title\n" + "x" * 5000 + "\n"])
def test_a_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BatchError) as caught:
        read_batch(text, batch_id="b", name="x")
    assert caught.value.code == "BATCH-02"


def test_a_list_that_no_message_can_carry_is_to_be_divided() -> None:
    text = "title\n" + "".join(f"Một cuốn sách có tên dài {number}\n" for number in range(3000))
    with pytest.raises(BatchError) as caught:
        read_batch(text, batch_id="b", name="x")
    assert caught.value.code == "BATCH-03"
