"""Flask application class: unsupported hooks raise an error."""

import pytest

from servicekit.http.flask_app import ApiFlask


@pytest.mark.parametrize(
    "hook", ["before_request", "after_request", "teardown_request", "teardown_appcontext"]
)
def test_rejects_hooks(hook: str) -> None:
    app = ApiFlask("tests", lambda _: None)
    with pytest.raises(NotImplementedError, match="no hook is called here"):
        getattr(app, hook)(lambda *_: None)
