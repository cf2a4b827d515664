"""The catalogue says what the engines do: every row is run on every engine."""

from __future__ import annotations

from dal_audit.catalogue.portability import Feature, features, taken
from tests.engines.servers import Engine


def _scripts(feature: Feature, text: str) -> list[str]:
    return [feature.setup, text] if feature.setup else [text]


def _expected(feature: Feature, engine: Engine) -> bool:
    """Return whether this engine, of this version and build, takes the example."""
    option = (feature.build or {}).get(engine.name)
    if option is not None and option in engine.options:
        return True
    return taken(feature.engines.get(engine.name, False), engine.version)


def test_every_verdict_is_what_the_engine_says(engines: tuple[Engine, ...]) -> None:
    wrong = []
    runs = 0
    for engine in engines:
        for feature in features():
            error = engine.error(_scripts(feature, feature.example), feature.parameters)
            runs += 1
            if (not error) != _expected(feature, engine):
                wrong.append(
                    f"{feature.id}: {engine.label} {engine.version}: {error or 'takes it'}"
                )
    print(f"{len(features())} rows × {len(engines)} engines: {runs} examples run, none skipped")
    assert not wrong, "\n".join(wrong)
    assert runs == len(features()) * len(engines)


def test_every_portable_text_runs_on_every_engine(engines: tuple[Engine, ...]) -> None:
    wrong = [
        f"{feature.id}: {engine.label} {engine.version}: {error}"
        for engine in engines
        for feature in features()
        if feature.portable and (error := engine.error(_scripts(feature, feature.portable)))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_probe_gives_another_result(engines: tuple[Engine, ...]) -> None:
    _, sqlite, server = engines
    same = [
        f"{feature.id}: {sqlite.rows(feature.probe)}"
        for feature in features()
        if feature.probe and sqlite.rows(feature.probe) == server.rows(feature.probe)
    ]
    assert not same, "\n".join(same)
    failing = [
        f"{feature.id}: {errors}"
        for feature in features()
        if feature.probe
        and all(errors := [isinstance(one.rows(feature.probe), str) for one in (sqlite, server)])
    ]
    assert not failing, "a probe that runs nowhere shows nothing: " + "\n".join(failing)


def test_an_engine_is_at_hand_of_each_kind(engines: tuple[Engine, ...]) -> None:
    assert {engine.name for engine in engines} == {"sqlite", "postgresql"}
    names = {name for feature in features() for name in feature.engines}
    assert names <= {engine.name for engine in engines}
