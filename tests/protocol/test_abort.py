"""What happens to cells that wait when one fails: {error, interrupt, death} x {stop_on_error, silent}."""
import pytest

from front_end import label


CAUSES = {"error": "%ask Go?\n%_test", "interrupt": "%_test loop", "death": "%ask Go?\n%_test kill"}


def fail(client, how):
    """Now, when the others wait behind it."""
    if how == "interrupt":
        stop = client.send("interrupt_request", channel="control")
        client.reply(stop, "control")
    else:
        assert client.read("stdin")["type"] == "input_request"
        client.send("input_reply", {"value": "yes"}, "stdin")


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("how", CAUSES)
def test_matrix(client, how, stops, silent):
    first = client.start(CAUSES[how], stop_on_error=stops, silent=silent, allow_stdin=True)
    second = client.execute("%echo second")
    between = client.send("complete_request", {"code": "%ech", "cursor_pos": 4})
    third = client.execute("%echo third", silent=True)
    assert client.reply(between)["content"]["matches"] == ["%echo"]
    client.reply(client.send("kernel_info_request"))  # so all have arrived
    fail(client, how)
    seen = client.until_idle(third)
    assert client.reply(first)["content"]["status"] == "error"
    of = {one: [label(m) for m in seen if m["parent"] == one] for one in (first, second, third)}
    assert of[first][-2:] == (["busy", "idle"] if silent else ["error", "idle"])
    aborts = stops and not silent
    for waiting in (second, third):
        reply = client.reply(waiting)
        assert reply["content"]["status"] == ("aborted" if aborts else "ok")
        assert "execution_count" not in reply["content"] or not aborts
    assert of[second] == (["busy", "idle"] if aborts else ["busy", "execute_input", "stream", "idle"])
    assert of[third] == ["busy", "idle"]
    order = [m["parent"] for m in seen if m["parent"] in (first, second, third)]
    assert order == sorted(order, key=[first, second, third].index), "cells overlap"
