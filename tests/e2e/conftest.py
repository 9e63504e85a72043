"""One server for the tests that leave money alone; a fresh one for those that move it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.world import Customer, Staff, World, running, warm


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[World]:
    with running(warm(trained, tmp_path_factory.mktemp("shared") / "home")) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    yield shared_world
    shared_world.sandbox.clear_faults()


@pytest.fixture
def fresh_world(shared_world: World, tmp_path: Path) -> Iterator[World]:
    with running(warm(shared_world.home, tmp_path / "home")) as world:
        yield world


@pytest.fixture
def customer(world: World) -> Customer:
    return Customer(world)


@pytest.fixture
def new_home(shared_world: World, tmp_path: Path) -> Callable[[], Path]:
    return lambda: warm(shared_world.home, tmp_path / "home")


@pytest.fixture
def staff(world: World) -> Staff:
    return Staff(world)
