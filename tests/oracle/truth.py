"""Measures answers about areas against where the simulator's vehicles truly are, by geometry of its own.

    python tests/oracle/truth.py FOLDER_OF_THE_BINARIES [SEED]

Plays the flood, the evacuation and the crash in real time, each to a service of its own, and asks at random instants.
Who is inside, who enters within 2, 5 and 10 minutes and who is nearest is worked out from the truth that `topis-sim
--truth` writes; who is unaccounted for from the messages as a subscriber of the broker hears them. Nothing of the
service's code is used. Prints precision and recall of each answer, and what was null on the cards with its reasons.
Exit code 1 when a vehicle that went dark inside is missing from an answer.
"""

import bisect
import json
import math
import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import paho.mqtt.client as mqtt
from judges import Service

INSTANTS = 20
HORIZONS_MIN = (2, 5, 10)
SILENT_S = 60.0
# An answer this close to the limit may be on either side of it.
SILENT_SLACK_S = 2.0
NEAREST = 5
DEFAULT_RADIUS_M = {"crash": 100.0, "bus_crash": 100.0, "fire": 200.0, "flood": 500.0}
# Scenario, incident, and seconds of the scenario from which it is asked about and from which a vehicle is dark inside:
# half of the instants are drawn from before and half from after that.
PLAYS = (
    ("spreading_flood", "river/flood-1", 12.0, 84.5),
    ("evacuation", "fire/evacuation-1", 27.0, 94.5),
    ("crash", "traffic/crash-17", 22.0, 60.0),
)
METRES_PER_DEGREE = 111_195.0


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def metres(a, b):
    """Between two (lat, lon), on the sphere."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, p)) for p in (a, b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


class Area:
    """A circle or a polygon, as its source published it."""

    def __init__(self, body):
        geometry = body.get("geometry")
        self.ring = geometry["coordinates"][0] if geometry and geometry["type"] == "Polygon" else None
        self.centre = (body.get("lat"), body.get("lon"))
        self.radius_m = body.get("radius_m") or DEFAULT_RADIUS_M[body["kind"]]

    def holds(self, lat, lon):
        if self.ring is None:
            return metres(self.centre, (lat, lon)) <= self.radius_m
        inside = False
        for (x1, y1), (x2, y2) in zip(self.ring, self.ring[1:]):
            if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                inside = not inside
        return inside


class Ear:
    """Hears everything that passes the broker: incidents, and each vehicle's last place and what it is doing."""

    def __init__(self, port, incident):
        self.lock = threading.Lock()
        self.said = defaultdict(list)
        self.areas = []
        self.incident_topic = f"topis/v1/incident/{incident}"
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"truth-{port}", protocol=mqtt.MQTTv5)
        self.client.on_message = self.hear
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([("topis/v1/vehicle/#", 0), ("topis/v1/incident/#", 1), ("/hfp/v2/#", 0)])
        self.client.loop_start()

    def hear(self, _client, _data, message):
        levels = message.topic.split("/")
        try:
            body = json.loads(message.payload)
        except ValueError:
            return
        with self.lock:
            if message.topic == self.incident_topic:
                old = self.areas and self.areas[-1][1]["version"] >= body.get("version", 0)
                if body.get("state") != "closed" and not old:
                    self.areas.append((time.time(), body))
            elif message.topic.startswith("/hfp/v2/"):
                [(kind, said)] = body.items()
                if kind == "VP" or said.get("lat") is not None:
                    upcoming = levels[4] == "upcoming"
                    if not upcoming:
                        place = (said.get("lat"), said.get("long"))
                        state = {"signoff": "signed_off", "deadrun": "deadrun"}.get(levels[3], "in_service")
                        self.note(f"{levels[7]}/{levels[8]}", seconds(said["tst"]), place, state)
            elif levels[-1] == "position" and body.get("journey_state") != "upcoming":
                place = (body.get("lat"), body.get("lon"))
                state = body.get("journey_state") or ("in_service" if body.get("route_id") else None)
                self.note(f"{levels[3]}/{levels[4]}", seconds(body["event_time"]), place, state)

    def note(self, vehicle, at, place, state):
        if place[0] is not None and place[1] is not None:
            self.said[vehicle].append((at, place, state))

    def last_words(self, until):
        """Of every vehicle heard by then: when, where and what it was doing."""
        with self.lock:
            words = {v: [s for s in said if s[0] <= until] for v, said in self.said.items()}
        return {v: max(said, key=lambda s: s[0]) for v, said in words.items() if said}

    def area_at(self, at):
        with self.lock:
            known = [body for since, body in self.areas if since <= at]
        return Area(known[-1]) if known else None


class Truth:
    """Where every vehicle truly was, by the second."""

    def __init__(self, path):
        self.times, self.lines = [], []
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            self.times.append(seconds(record["at"]))
            self.lines.append({v["id"]: (v["lat"], v["lon"]) for v in record["vehicles"]})

    def at(self, instant):
        after = min(bisect.bisect_left(self.times, instant), len(self.times) - 1)
        before = max(after - 1, 0)
        nearest = after if self.times[after] - instant <= instant - self.times[before] else before
        return self.lines[nearest]

    def who_enters(self, area, instant, horizon_s):
        first, last = bisect.bisect_left(self.times, instant), bisect.bisect_right(self.times, instant + horizon_s)
        inside_now = {v for v, place in self.at(instant).items() if area.holds(*place)}
        later = {v for line in self.lines[first:last] for v, place in line.items() if area.holds(*place)}
        return later - inside_now


class Score:
    """How a list of an answer compares with what is so, over many answers."""

    def __init__(self):
        self.hits = self.listed = self.true = 0

    def add(self, listed, true):
        self.hits += len(listed & true)
        self.listed += len(listed)
        self.true += len(true)

    def text(self):
        share = lambda n, of: f"{n / of:6.3f}" if of else "     -"
        return f"precision {share(self.hits, self.listed)}  recall {share(self.hits, self.true)}  " \
               f"({self.hits} right of {self.listed} listed, {self.true} true)"


def ask(service, incident):
    card = json.loads(service.get(f"/v1/incidents/{incident}/impact")[0])
    return seconds(card["meta"]["as_of"]), card["data"]


def play(binaries, scenario, incident, ask_from, dark_from, seed):
    dice = random.Random(f"{seed}/{scenario}")
    with Service(binaries) as service:
        ear = Ear(service.mqtt, incident)
        path = Path(service.folder.name) / "truth.jsonl"
        command = [
            str(Path(binaries) / "topis-sim"), "run", "--scenario", scenario, "--truth", str(path),
            "--broker", f"mqtt://127.0.0.1:{service.mqtt}", "--api", service.base,
        ]
        city = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in city.stderr:
            if "vehicles on" in line:
                break
        begun = time.time()
        said = []
        threading.Thread(target=lambda: said.extend(city.stderr), daemon=True).start()
        service.until("the incident", lambda: service.get(f"/v1/incidents/{incident}"), seconds=60)
        end = scenario_seconds(scenario) - 1.0
        spans = [(ask_from, dark_from), (dark_from, end)] * (INSTANTS // 2)
        instants = sorted(dice.uniform(*span) for span in spans)
        answers = []
        for instant in instants:
            time.sleep(max(0.0, begun + instant - time.time()))
            answers.append(ask(service, incident))
        code = city.wait(timeout=120)
        ear.client.loop_stop()
        return {"scenario": scenario, "answers": answers, "ear": ear, "truth": Truth(path), "code": code, "said": said}


def scenario_seconds(name):
    import tomllib

    path = Path(__file__).parents[2] / "simulator" / "scenarios" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["duration_s"]


def measure(played):
    """Scores by name, nulls by key and reason, and every dark vehicle that an answer did not list."""
    scores, nulls, missed, dark_seen = defaultdict(Score), Counter(), [], 0
    ear, truth = played["ear"], played["truth"]
    for as_of, card in played["answers"]:
        area = ear.area_at(as_of)
        words = ear.last_words(as_of)
        for key, value in card.items():
            if value is None:
                nulls[(key, card["unknown"].get(key, "(no reason: it is so)"))] += 1
        listed = lambda key: {row["id"] for row in card[key] or []}
        silent = {v: as_of - at for v, (at, _, _) in words.items()}
        heard = {v for v, age in silent.items() if age <= SILENT_S}
        true_now = {v: place for v, place in truth.at(as_of).items() if v in words}
        inside = {v for v, place in true_now.items() if area.holds(*place)}
        scores["inside"].add(listed("inside"), inside & heard)
        certain = {row["id"] for row in card["inside"] or [] if row["certain"]}
        scores["inside, certain ones"].add(certain, inside & heard)
        entering = {row["id"]: row["within_min"] for row in card["entering"] or []}
        for minutes in HORIZONS_MIN:
            true = {v for v in truth.who_enters(area, as_of, minutes * 60.0) if v in heard}
            scores[f"entering in {minutes} min"].add({v for v, m in entering.items() if m <= minutes}, true)
        dark = {
            v for v, (_, place, state) in words.items()
            if silent[v] > SILENT_S + SILENT_SLACK_S and state != "signed_off" and area.holds(*place)
        }
        unsure = {v for v, age in silent.items() if abs(age - SILENT_S) <= SILENT_SLACK_S}
        gone = {row["id"] for row in card["unaccounted"] or [] if row["why"] == "inside"} - unsure
        scores["unaccounted, last seen inside"].add(gone, dark)
        dark_seen += len(dark)
        missed += [f"{vehicle} at {datetime.fromtimestamp(as_of).isoformat()}" for vehicle in sorted(dark - gone)]
        here = (card["lat"], card["lon"])
        order = sorted((v for v in true_now if v in heard), key=lambda v: metres(here, true_now[v]))
        scores[f"nearest {NEAREST}"].add({row["id"] for row in (card["nearest"] or [])[:NEAREST]}, set(order[:NEAREST]))
    return scores, nulls, missed, dark_seen


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    binaries = str(Path(sys.argv[1]).resolve())
    seed = int(sys.argv[2]) if len(sys.argv) == 3 else time.time_ns() % 1_000_000
    print(f"seed {seed}, {INSTANTS} instants a scenario")
    with ThreadPoolExecutor(len(PLAYS)) as pool:
        plays = list(pool.map(lambda play_: play(binaries, *play_, seed), PLAYS))
    failed = []
    all_nulls = Counter()
    for played in plays:
        scores, nulls, missed, dark_seen = measure(played)
        print(f"\n{played['scenario']} (topis-sim ended with {played['code']})")
        for name, score in scores.items():
            print(f"  {name:<31}{score.text()}")
        print(f"  a vehicle dark inside was so {dark_seen} times, and missing from the answer {len(missed)} times")
        all_nulls += nulls
        failed += [f"{played['scenario']}: {miss}" for miss in missed]
        if played["scenario"] != "crash" and dark_seen == 0:
            failed.append(f"{played['scenario']}: no vehicle was dark inside, so nothing is shown of it")
    print(f"\nnull on {INSTANTS * len(plays)} cards, by reason")
    for (key, reason), count in sorted(all_nulls.items()):
        print(f"  {key:<24}{count:>4}  {reason}")
    if failed:
        sys.exit("MISSED:\n  " + "\n  ".join(failed))


if __name__ == "__main__":
    main()
