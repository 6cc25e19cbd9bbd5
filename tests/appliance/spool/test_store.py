"""What the spool promises the station, and what it tells the publisher."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.api import Delivery
from appliance.spool import Outbox, Spool
from tests.appliance.spool.making import Maker
from wire.messages import Complete, ObjectRef, Receipt

OpenSpool = Callable[..., Spool]


def receipt_for(outbox: Outbox, ref: ObjectRef) -> Receipt:
    [pending] = [one for one in outbox.pending(100) if one.ref == ref]
    return Receipt(object=ref, files=pending.files, worker="w1", stored_at="2026-01-02T03:04:05Z")


def test_a_capture_goes_from_safe_to_released(open_spool: OpenSpool, folder: Path, make: Maker) -> None:
    spool = open_spool()
    make.add(spool, "a", processed=False)
    assert spool.unprocessed() == ("a",)
    assert spool.row("a").state is Delivery.SAFE
    spool.add_pages(make.pages("a"), make.page_bytes("a"))
    assert spool.unprocessed() == ()
    assert spool.append_change("job-1", b'{"type":"handed-over"}') == 1
    spool.queue_list(make.job_list(2, "a"))
    with Outbox.open(folder) as outbox:
        kinds = [pending.ref.kind for pending in outbox.pending(10)]
        assert kinds == ["job_list", "capture"]
        assert outbox.record_receipt(receipt_for(outbox, ObjectRef("capture", "a")))
        assert spool.row("a").state is Delivery.RECEIVED
        assert spool.release_due() == ()
        ref = ObjectRef("job_list", "job-1", 2)
        assert outbox.record_receipt(receipt_for(outbox, ref))
        assert spool.release_due() == ()
        outbox.record_list_answer(Complete(object=ref, captures=1))
    assert spool.jobs()[0].complete
    assert spool.release_due() == ("a",)
    assert not (folder / "captures" / "a").exists()
    assert spool.row("a").state is Delivery.RELEASED
    with pytest.raises(KeyError):
        spool.capture("a")
    assert open_spool().row("a").state is Delivery.RELEASED
