"""Journeys that `synthetic new` writes for small contracts, and their runs as written."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.results import ProbeError
from tests.support.synthetic.object_api import (
    TEXT,
    ObjectApi,
    crud,
    json_content,
    replay_all,
    run_object_api,
    synthetic,
    write_contract,
    written,
)

STEPS = "POST-things GET-things-id GET-things PUT-things-id GET-things-id-updated DELETE-things-id"
PROGRAM = Path(sys.executable).with_name("synthetic")
METHODS = ["POST", "GET", "GET", "PUT", "GET", "DELETE", "GET"]


def thing(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object whose properties are all required."""
    return {"type": "object", "required": list(properties), "properties": properties}


def write_and_run(folder: Path, api: ObjectApi, *arguments: str | Path) -> tuple[str, list[str]]:
    """Write journeys, check and run them; return what is left to fill in, and the requests."""
    file = folder / "journeys.arazzo.yaml"
    done = synthetic("new", *arguments, "--output", file)
    assert done.code == 0, done.stderr
    checked = synthetic("check", file)
    assert checked.code == 0, checked.stdout
    with run_object_api(api):
        for result in replay_all(file, api.url):
            assert result.result == "passed", (result.step, result.detail, file.read_text())
    return done.stderr, api.requests


def test_a_resource_is_created_read_listed_changed_and_deleted(tmp_path: Path) -> None:
    api = ObjectApi()
    messages, requests = write_and_run(tmp_path, api, write_contract(tmp_path, crud()))
    assert messages == "synthetic new: 1 workflow, 7 steps\n"
    assert [request.split()[0] for request in requests] == METHODS
    assert api.objects == {}
    (workflow,) = written(tmp_path / "journeys.arazzo.yaml")["workflows"]
    ids = " ".join(step["stepId"] for step in workflow["steps"])
    assert ids == f"{STEPS} GET-things-id-deleted"
    assert workflow["x-generate"] == {"name": "name", "new-name": "name"}


CHAINS = {
    "a parameter with the noun": (crud(parameter="thingId"), ObjectApi()),
    "an id of the same name": (
        crud(parameter="thing_id", returned=thing(thingId={"type": "integer"}, name=TEXT)),
        ObjectApi(id_name="thingId"),
    ),
    "a uuid": (
        crud(parameter="id", returned=thing(uuid={"type": "integer"}, name=TEXT)),
        ObjectApi(id_name="uuid"),
    ),
    "an object in another one": (crud(wrapper="data"), ObjectApi(wrapper="data")),
    "an id that the caller chooses": (
        crud("/users", "username", body=thing(username=TEXT), returned=thing(username=TEXT)),
        ObjectApi(chosen_id="username"),
    ),
    "a plural with another ending": (crud("/categories", "category_id"), ObjectApi()),
    "objects below an object": (
        {**crud(), **crud("/things/{thingId}/parts", "partId")},
        ObjectApi(),
    ),
    "a version that changes demand": (crud(header="If-Match"), ObjectApi(needs_version=True)),
}


@pytest.mark.parametrize(("paths", "api"), CHAINS.values(), ids=CHAINS)
def test_ids_come_from_the_response_of_the_creation(
    tmp_path: Path, paths: dict[str, Any], api: ObjectApi
) -> None:
    api = ObjectApi(api.id_name, api.chosen_id, api.wrapper, needs_version=api.needs_version)
    messages, requests = write_and_run(tmp_path, api, write_contract(tmp_path, paths))
    assert "fill in" not in messages
    assert {"POST", "GET", "PUT", "DELETE"} == {request.split()[0] for request in requests}
    assert api.created > 0
    assert api.objects == {}


def test_an_object_whose_response_has_only_a_location_is_found_in_the_list(tmp_path: Path) -> None:
    paths = crud()
    del paths["/things"]["post"]["responses"]["201"]["content"]
    api = ObjectApi(returns_id=False)
    _, requests = write_and_run(tmp_path, api, write_contract(tmp_path, paths))
    assert requests[:3] == ["POST /things", "GET /things", "GET /things/1002"]
    assert api.objects == {}


@pytest.mark.parametrize("api", [ObjectApi(), ObjectApi(returns_id=False)], ids=["id", "no id"])
def test_a_list_that_demands_a_filter_is_filtered_once(tmp_path: Path, api: ObjectApi) -> None:
    paths = crud()
    name = paths["/things"]["get"]["parameters"][1]
    paths["/things"]["get"]["parameters"] = [{**name, "required": True}]
    if not api.returns_id:
        del paths["/things"]["post"]["responses"]["201"]["content"]
    write_and_run(tmp_path, api, write_contract(tmp_path, paths))
    assert api.objects == {}
    (workflow,) = written(tmp_path / "journeys.arazzo.yaml")["workflows"]
    lists = [each for each in workflow["steps"] if each["operationPath"].endswith("things/get")]
    given = [[each["name"] for each in step["parameters"]] for step in lists]
    assert given == [["name"]] * len(lists)


def test_an_object_that_another_one_refers_to_is_created_first_and_cleaned_up(
    tmp_path: Path,
) -> None:
    body = thing(name=TEXT, owner_id={"type": "integer", "example": 1})
    paths = {**crud("/orders", "order_id", body=body), **crud("/owners", "owner_id")}
    api = ObjectApi()
    messages, requests = write_and_run(tmp_path, api, write_contract(tmp_path, paths))
    assert "fill in" not in messages
    assert requests[:2] == ["POST /owners", "POST /orders"]
    assert api.objects == {}


def test_an_object_of_another_contract_is_created_too(tmp_path: Path) -> None:
    body = thing(name=TEXT, owner_id={"type": "integer", "example": 1})
    orders = write_contract(tmp_path, crud("/orders", "order_id", body=body), "orders.yaml")
    owners = write_contract(tmp_path, crud("/owners", "owner_id"), "owners.yaml")
    api = ObjectApi()
    messages, requests = write_and_run(tmp_path, api, orders, owners)
    assert "fill in" not in messages
    assert requests[:2] == ["POST /owners", "POST /orders"]


def test_what_no_operation_creates_is_an_input_without_default(tmp_path: Path) -> None:
    body = thing(name=TEXT, owner_id={"type": "integer", "example": 41})
    contract = write_contract(tmp_path, crud("/orders", "order_id", body=body))
    file = tmp_path / "journeys.arazzo.yaml"
    done = synthetic("new", contract, "-o", file)
    needed = "fill in owner_id: owner_id of POST /orders, such as 41"
    assert done.stderr.splitlines()[1:] == [f"synthetic new: orders: {needed}"]
    assert f"# F{needed[1:]}." in file.read_text()
    (workflow,) = written(file)["workflows"]
    assert workflow["inputs"]["required"] == ["owner_id"]
    with run_object_api(ObjectApi()) as api:
        with pytest.raises(ProbeError, match="the input owner_id needs a default"):
            replay_all(file, api.url)
        assert api.requests == []
        assert [result.result for result in replay_all(file, api.url, owner_id=7)] == ["passed"]
        assert api.objects == {}


NUMBER = {"parameters": {"path.which": "$response.body#/number"}}
LINKS = {
    "look": {"operationId": "look", **NUMBER},
    "end": {"operationRef": "#/paths/~1thing~1end~1%7Bwhich%7D/delete", **NUMBER},
    "note": {
        "operationId": "addNote",
        "requestBody": {"about": "$response.body#/number", "text": "{$request.body#/name}"},
    },
}
WHICH = [{"name": "which", "in": "path", "required": True, "schema": {"type": "integer"}}]
MADE = {"description": "x", "content": json_content(thing(number={"type": "integer"}))}
NOTE = thing(about={"type": "integer"}, text=TEXT)


def test_a_run_of_all_workflows_gives_each_one_the_inputs_that_it_has(tmp_path: Path) -> None:
    body = thing(name=TEXT, owner_id={"type": "integer"})
    health = {"get": {"responses": {"404": {"description": "x"}, "200": {"description": "x"}}}}
    paths = {**crud("/orders", "order_id", body=body), "/status/now": health}
    file = tmp_path / "journeys.arazzo.yaml"
    assert synthetic("new", write_contract(tmp_path, paths), "-o", file).code == 0
    with run_object_api(ObjectApi(objects={"/status/now": {}})) as api:
        command = [str(PROGRAM), "probe", str(file), "--url", api.url, "--input", "owner_id=7"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert "2 journeys: " in ran.stdout
        assert "there is no input" not in ran.stdout
        assert "POST /orders" in api.requests


LINKED = {
    "/thing/make": {
        "post": {
            "operationId": "makeThing",
            "requestBody": {"content": json_content(thing(name=TEXT))},
            "responses": {"201": {**MADE, "links": LINKS}},
        }
    },
    "/look/at/{which}": {
        "get": {
            "operationId": "look",
            "parameters": WHICH,
            "responses": {"200": {"description": "x"}, "404": {"description": "x"}},
        }
    },
    "/thing/end/{which}": {
        "delete": {
            "operationId": "end",
            "parameters": WHICH,
            "responses": {"204": {"description": "x"}},
        }
    },
    "/notes": {
        "post": {
            "operationId": "addNote",
            "requestBody": {"content": json_content(NOTE)},
            "responses": {"201": {"description": "x"}},
        }
    },
}


def test_links_lead_to_operations_with_other_paths_and_names(tmp_path: Path) -> None:
    contract = write_contract(tmp_path, LINKED, openapi="3.0.3")
    file = tmp_path / "journeys.arazzo.yaml"
    done = synthetic("new", contract, "-o", file)
    assert "fill in" not in done.stderr
    assert synthetic("check", file).code == 0
    thing_steps, note_steps = (workflow["steps"] for workflow in written(file)["workflows"])
    number = "$steps.makeThing.outputs.number"
    called = {step["stepId"]: step.get("parameters") for step in thing_steps}
    which = [{"name": "which", "in": "path", "value": number}]
    assert called == {"makeThing": None, "look": which, "end": which}
    assert thing_steps[0]["x-cleanup"]["operationId"] == "end"
    assert [step["stepId"] for step in note_steps] == ["makeThing", "addNote"]
    assert note_steps[1]["requestBody"]["payload"] == {"about": number, "text": "$inputs.name"}


def test_a_key_of_idempotency_differs_in_each_run(tmp_path: Path) -> None:
    paths = crud()
    key = {"name": "idempotency-key", "in": "header", "schema": TEXT}
    paths["/things"]["post"]["parameters"] = [key]
    api = ObjectApi()
    write_and_run(tmp_path, api, write_contract(tmp_path, paths))
    file = tmp_path / "journeys.arazzo.yaml"
    with run_object_api(api):
        assert replay_all(file, api.url)[0].result == "passed"
    assert len(set(api.keys)) == 2


def test_the_first_item_of_a_list_is_read_where_nothing_is_created(tmp_path: Path) -> None:
    contract = write_contract(tmp_path, crud(methods="get list"))
    stored = ObjectApi(objects={"/things/7": {"id": 7, "name": "x"}})
    _, requests = write_and_run(tmp_path, stored, contract)
    assert requests == ["GET /things", "GET /things/7"]
    file = tmp_path / "journeys.arazzo.yaml"
    with run_object_api(ObjectApi()) as empty:
        assert replay_all(file, empty.url)[0].result == "passed"
    assert empty.requests == ["GET /things"]


def test_an_object_that_nothing_deletes_is_said_to_stay(tmp_path: Path) -> None:
    contract = write_contract(tmp_path, crud(methods="post get"))
    api = ObjectApi()
    messages, _ = write_and_run(tmp_path, api, contract)
    text = "no operation deletes the thing that POST /things creates"
    assert f"synthetic new: things: {text}\n" in messages
    assert f"# Note: {text}." in (tmp_path / "journeys.arazzo.yaml").read_text()


def test_a_failed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    paths = crud()
    paths["/things/{id}"]["get"]["responses"]["200"]["content"] = json_content(thing(lost=TEXT))
    file = tmp_path / "journeys.arazzo.yaml"
    assert synthetic("new", write_contract(tmp_path, paths), "-o", file).code == 0
    with run_object_api(ObjectApi()) as api:
        (result,) = replay_all(file, api.url)
    assert (result.result, result.reason) == ("failed", "schema")
    assert (api.created, api.objects) == (1, {})
