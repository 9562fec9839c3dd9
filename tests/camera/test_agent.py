"""The agent as it is really run, against a real server: set-up, a lesson, and what can go wrong in it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.camera.conftest import AgentProcess, School, Stream, free_port, jpeg, sha256, until

pytestmark = pytest.mark.timeout(240)


def photos(school: School, at_least: int = 1, agent: AgentProcess | None = None) -> int:
    """How many arrived, once there are so many."""
    return until(
        lambda: (n := len(school.arrived(school.session))) >= at_least and n,
        60,
        lambda: agent.log[-3000:] if agent else "",
    )


def change_session(school: School, state: str) -> None:
    school.site.python(
        "from attendance import classes\nfrom attendance.models import ClassSession\n"
        "s = ClassSession.objects.get(pk=V['pk'])\n"
        "classes.close_session(s) if V['state'] == 'closed' else classes.open_session(s)",
        pk=school.session, state=state,
    )  # fmt: skip


# --- set-up -------------------------------------------------------------------------------------
def test_set_up_from_a_code_to_a_photo_on_the_server(
    agent: AgentProcess, school: School, video: Path
) -> None:
    agent.settings = {"data": str(agent.folder / "data")}
    done = agent.call(
        "setup", "--server", school.address, "--code", school.code(), "--name", "front", "--source",
        f"video:{video}", "--no-service",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Paired with Room 12." in done.stdout
    assert "Picture of 1280 x 720 pixels." in done.stdout
    agent.settings = json.loads(agent.config.read_text())
    assert agent.config.stat().st_mode & 0o077 == 0
    assert agent.settings["key"] not in done.stdout + done.stderr
    doctor = agent.call("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "is open in Room 12 now" in doctor.stdout
    once = agent.call("once")
    assert once.returncode == 0, once.stdout + once.stderr
    assert "1 photos sent" in once.stdout
    assert len(school.arrived(school.session)) == 1


def test_set_up_asks_a_person_and_asks_again_after_a_slip(
    agent: AgentProcess, school: School, video: Path
) -> None:
    from camera import config
    from camera.__main__ import _arguments
    from camera.setup import setup

    answers = iter([
        "127.0.0.1:1", school.address, "WRONG-CODE", "front", school.code(), "telescope", "usb:63",
        f"video:{video}", "", "x",
    ])  # fmt: skip
    said: list[str] = []
    made = config.Config(path=agent.folder / "asked.json", data=str(agent.folder / "asked"))
    given = _arguments().parse_args(["setup", "--no-service"])
    assert setup(made, given, lambda _question: next(answers), said.append) == 0
    text = "\n".join(said)
    for part in (
        "cannot be reached", "no such pairing code", "Paired with Room 12", "no lens this agent knows",
        "is it plugged in", "http://127.0.0.1:",
    ):  # fmt: skip
        assert part in text, text
    assert config.load(made.path).source == f"video:{video}"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("WRONG-CODE", "There is no such pairing code"),
        ("expired", "This pairing code has expired"),
        ("used", "This pairing code was used already"),
    ],
)
def test_a_code_that_is_not_good_is_said(agent: AgentProcess, school: School, code: str, said: str) -> None:
    if code in ("expired", "used"):
        word, code = code, school.code()
        school.site.python(
            "from attendance import pairing\nfrom attendance.models import PairingCode\nimport datetime as dt\n"
            "if V['word'] == 'used': pairing.pair(V['typed'])\n"
            "else:\n"
            "    row = PairingCode.objects.latest('made_at')\n"
            "    row.made_at -= dt.timedelta(hours=1); row.expires_at -= dt.timedelta(hours=1); row.save()",
            word=word, typed=code,
        )  # fmt: skip
    agent.settings = {"data": str(agent.folder / "data")}
    done = agent.call(
        "setup", "--server", school.address, "--code", code, "--source", "usb:0", "--no-service"
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_service_is_written_for_the_user(agent: AgentProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from camera import service

    monkeypatch.setenv("XDG_CONFIG_HOME", str(agent.folder / "xdg"))
    monkeypatch.setenv("PATH", "")
    said = service.install(agent.config)
    unit = (agent.folder / "xdg/systemd/user/rollcall-camera.service").read_text()
    assert f"--config {agent.config} run" in unit
    assert "Restart=always" in unit
    assert "start the agent yourself" in said[-1]


def test_before_set_up_every_command_says_so(agent: AgentProcess) -> None:
    agent.settings = {"data": str(agent.folder / "data")}
    for word in ("run", "once", "status"):
        done = agent.call(word)
        assert (done.returncode, "not set up yet" in done.stderr, "Traceback" in done.stderr) == (
            1,
            True,
            False,
        )
    assert "WRONG settings" in agent.call("doctor").stdout


# --- a lesson -----------------------------------------------------------------------------------
def test_it_shoots_while_the_session_is_open_and_at_no_other_time(
    agent: AgentProcess, school: School, video: Path
) -> None:
    lamp = agent.folder / "lamp.sh"
    lamp.write_text(f'#!/bin/sh\necho "$1" >> {agent.folder}/lamp\n')
    lamp.chmod(0o755)
    change_session(school, "closed")
    agent.write(source=f"video:{video}", indicator=str(lamp))
    agent.start("--every", "1")
    until((agent.folder / "data" / "timetable.json").exists, 60, lambda: agent.log[-3000:])
    time.sleep(3)  # it knows of the closed session, and could have shot it three times
    assert not school.arrived(school.session)
    assert not (agent.folder / "lamp").exists()
    change_session(school, "open")
    photos(school, 2, agent)
    assert (agent.folder / "lamp").read_text().split() == ["on"]
    until(lambda: "On now: " in agent.call("status").stdout)  # its state is written every few seconds
    assert "The agent runs." in agent.call("status").stdout
    change_session(school, "closed")
    agent.says("camera OFF", 60)
    count = photos(school)
    time.sleep(4)
    assert photos(school) == count
    assert (agent.folder / "lamp").read_text().split() == ["on", "off"]
    agent.kill(signal.SIGTERM)
    assert "agent stops" in agent.log
    assert "does not run" in agent.call("status").stdout


def test_the_heartbeat_says_how_the_camera_does(agent: AgentProcess, school: School, video: Path) -> None:
    agent.write(source=f"video:{video}")
    agent.start("--every", "1")
    photos(school, 1, agent)
    agent.kill(signal.SIGTERM)
    agent.start("--every", "1")  # says at once how things are
    status = until(lambda: school.site.query(
        "SELECT version, source, clock_offset_ms, last_shot_at, error FROM attendance_camerastatus "
        f"WHERE camera_id = {agent.settings['camera']} AND last_shot_at IS NOT NULL"
    ), 60)  # fmt: skip
    version, source, offset, last_shot, error = status[0]
    assert (version, source, error) == ("1.0.0", "video", "")
    assert abs(offset) < 2000
    assert last_shot


def test_a_dry_run_sends_and_keeps_nothing(agent: AgentProcess, school: School, video: Path) -> None:
    agent.write(source=f"video:{video}")
    agent.start("--every", "1", "--dry-run")
    agent.says("dry run: a photo of", 60, times=2)
    agent.kill(signal.SIGTERM)
    done = agent.call("once", "--dry-run", "--out", str(agent.folder / "seen.jpg"))
    assert "would be sent for" in done.stdout
    assert (agent.folder / "seen.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert not agent.waiting()
    assert not school.arrived(school.session)
    assert not (agent.folder / "data" / "state.json").exists()


# --- what can go wrong --------------------------------------------------------------------------
def test_a_key_revoked_in_mid_session_stops_it_and_a_new_one_brings_everything(
    agent: AgentProcess, school: School, video: Path
) -> None:
    agent.write(source=f"video:{video}")
    agent.start("--every", "1")
    before = photos(school, 2, agent)
    with school.at_rest():
        school.site.python(
            "from attendance import cameras\nfrom attendance.models import Camera\n"
            "cameras.revoke(Camera.objects.get(pk=V['pk']))", pk=agent.settings["camera"],
        )  # fmt: skip
        until(agent.waiting, 40, lambda: agent.log[-3000:])
    agent.says("does not know this camera's key any more: pair it again", 40)
    agent.says("camera OFF", 10)
    waiting = len(agent.waiting())
    assert waiting >= 1, "what was shot and refused is kept"
    time.sleep(3)
    assert len(agent.waiting()) == waiting, "nothing is shot with a key that is not good"
    agent.kill(signal.SIGTERM)
    again = agent.call("setup", "--server", school.address, "--code", school.code(), "--source",
                       f"video:{video}", "--no-service")  # fmt: skip
    assert again.returncode == 0, again.stderr
    agent.settings = json.loads(agent.config.read_text())
    agent.start("--every", "600")
    until(lambda: not agent.waiting(), 60, lambda: agent.log[-3000:])
    assert len(school.arrived(school.session)) >= before + waiting


def test_a_camera_that_goes_away_and_comes_back(
    agent: AgentProcess, school: School, stream: Callable[..., Stream]
) -> None:
    lens = stream("10", "mjpeg")
    agent.write(source=lens.address)
    agent.start("--every", "1")
    before = photos(school, 1, agent)
    lens.off()
    agent.says("nothing listens for RTSP", 60)
    lens.on()
    agent.says("camera: works again.", 60)
    assert photos(school, before + 1, agent) > before
    assert agent.log.count("nothing listens for RTSP") == 1, "said once, not each time"


def test_a_spool_that_cannot_be_written_is_said_and_nothing_is_lost_when_it_can_again(
    agent: AgentProcess, school: School, tmp_path: Path
) -> None:
    folder, spool = tmp_path / "photos", agent.folder / "data" / "spool"
    folder.mkdir()
    agent.write(source=f"folder:{folder}")
    agent.start()
    agent.says("agent 1.0.0 starts")
    until(spool.is_dir)
    spool.rmdir()
    spool.write_text("in the way")
    put = [jpeg(number) for number in range(3)]
    for number, data in enumerate(put):
        (folder / f"{number}.jpg").write_bytes(data)
    agent.says("spool: Photos cannot be kept in", 30)
    spool.unlink()
    agent.says("spool: works again.", 30)
    photos(school, 3, agent)
    assert sorted(sha for sha, _key in school.arrived(school.session)) == sorted(map(sha256, put))


def test_a_server_that_is_gone_and_comes_back_at_another_address(
    agent: AgentProcess, school: School, video: Path
) -> None:
    good = agent.settings["server"]
    agent.start("--every", "600")  # learns the timetable
    agent.says("camera ON", 40)
    agent.kill(signal.SIGTERM)
    agent.write(server=f"http://127.0.0.1:{free_port()}", source=f"video:{video}")
    agent.start("--every", "1")
    agent.says("cannot be reached", 40)
    agent.says("kept shot", 40, times=3)
    agent.kill()
    kept = len(agent.waiting())
    assert kept >= 3
    moved = agent.call("setup", "--server", good, "--source", f"video:{video}", "--no-service")
    assert moved.returncode == 0, moved.stderr
    agent.settings = json.loads(agent.config.read_text())
    agent.start("--every", "600")
    until(lambda: not agent.waiting(), 60, lambda: agent.log[-3000:])
    assert len(school.arrived(school.session)) >= kept


def test_a_second_agent_on_the_same_data_is_refused(agent: AgentProcess, video: Path) -> None:
    agent.write(source=f"video:{video}")
    agent.start()
    agent.says("agent 1.0.0 starts")
    second = agent.call("run")
    assert second.returncode == 1
    assert "runs already" in second.stderr
