"""The capture page: `create_app` puts its routes on the base application. Parse, ask the station, render."""

import secrets

from flask import Flask

from appliance.api import StationApi
from appliance.setup.api import SetUpApi
from appliance.training.view import TrainingApi
from web_ui.common.app import create_base_app
from web_ui.station import (
    commands,
    jobs,
    leaves,
    pages,
    people,
    review,
    scanning,
    setup,
    setup_disk,
    setup_door,
    setup_health,
    setup_power,
)
from web_ui.station import training as training_screens


def create_app(
    station: StationApi,
    *,
    token: str,
    secret_key: bytes,
    language: str = "vi",
    hosts: tuple[str, ...] = (),
    set_up: SetUpApi | None = None,
    training: TrainingApi | None = None,
) -> Flask:
    """Return the station's screen.

    Args:
        station: what the screen shows and commands; called from many threads at once.
        token: a person enters with ``/enter?token=…``, a program sends it as a bearer token; at least 16 characters.
        secret_key: signs the session cookie; keep it from one start to the next, or everybody has to enter again.
        language: ``vi`` or ``en``, where the browser has not chosen.
        hosts: names besides localhost under which the screen may be asked for.
        set_up: what the screens for setting up, disks and health ask; without it there are none.
        training: what the screens for training ask; without it there are none.
    """
    app = create_base_app(
        "web_ui.station", side="station", token=token, secret_key=secret_key, language=language, hosts=hosts
    )
    app.jinja_env.globals["once_key"] = lambda: secrets.token_hex(8)
    pages.add_routes(app, station)
    commands.add_routes(app, station)
    jobs.add_routes(app, station)
    review.add_routes(app, station)
    leaves.add_routes(app, station)
    people.add_routes(app, station)
    scanning.add_routes(app, station)
    app.jinja_env.globals["has_setup"] = set_up is not None
    if set_up is not None:
        for screens in (setup, setup_disk, setup_health, setup_power):
            screens.add_routes(app, station, set_up)
        setup_door.add_routes(app, station)
    app.jinja_env.globals["has_training"] = training is not None
    if training is not None:
        training_screens.add_routes(app, station, training)
    return app
