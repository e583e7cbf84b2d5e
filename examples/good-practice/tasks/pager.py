"""Tell whoever is on duty."""

import logging

from asl_engine import task

logger = logging.getLogger(__name__)


@task("pageSomebody")
def page_somebody(event: dict) -> None:
    """Hears of alerts.  Here a pager would be called; its key is the alert's, which may come twice."""
    logger.error(event["detail"]["text"])
