"""Layout of the services' dashboards; test_prometheus.py covers their expressions."""

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import dashboards, render


def test_panels_do_not_overlap_and_have_unique_titles(helm: str) -> None:
    on = ",".join(f"{service}.metrics.dashboard=true" for service in SERVICES)
    found = dashboards(render(helm, "cadastro", "--set", on))
    for dashboard in found:
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
        titles = [panel["title"] for panel in dashboard["panels"]]
        assert len(set(places)) == len(set(titles)) == len(titles)
    assert len({dashboard["uid"] for dashboard in found}) == len(SERVICES)
