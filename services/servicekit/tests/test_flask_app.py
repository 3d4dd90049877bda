"""Flask as our services have it: what it does not do, it does not promise."""

import pytest

from servicekit.http.flask_app import ApiFlask


@pytest.mark.parametrize(
    "hook", ["before_request", "after_request", "teardown_request", "teardown_appcontext"]
)
def test_a_hook_that_would_never_be_called_is_refused(hook: str) -> None:
    app = ApiFlask("tests", lambda _: None)
    with pytest.raises(NotImplementedError, match="no hook is called here"):
        getattr(app, hook)(lambda *_: None)
