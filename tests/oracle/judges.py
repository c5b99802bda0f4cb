"""Lets other people's programs read what the service writes: GTFS-Realtime (decoded, and judged against a timetable by a
validator), GeoJSON, OpenAPI, and a fuzzing HTTP client.

    python tests/oracle/judges.py FOLDER_OF_THE_BINARIES FOLDER_OF_THE_TOOLS

Starts one service with an embedded broker on free loopback ports, publishes a small fleet, an alarm and an incident, and
stops it again by its own process id. Exit code 1 when any judge objects.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import paho.mqtt.client as mqtt
from geojson_pydantic import FeatureCollection
from google.transit import gtfs_realtime_pb2

VEHICLES = 40
FUZZ_SECONDS = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Service:
    """One service, stopped by its own id when the block ends."""

    def __init__(self, binaries):
        self.http, self.mqtt = free_port(), free_port()
        self.folder = tempfile.TemporaryDirectory()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TOPIS_")} | {
            "TOPIS__HTTP__LISTEN": f"127.0.0.1:{self.http}",
            "TOPIS__BROKER__EMBEDDED_LISTEN": f"127.0.0.1:{self.mqtt}",
            "TOPIS__JOURNAL__PATH": str(Path(self.folder.name) / "journal.db"),
        }
        self.log = open(Path(self.folder.name) / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(Path(binaries) / "topis"), "serve"],
            env=environment, cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )

    @property
    def base(self):
        return f"http://127.0.0.1:{self.http}"

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=10) as answer:
            return answer.read(), answer.headers.get_content_type()

    def until(self, what, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if condition():
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.05)
        self.log.seek(0)
        sys.exit(f"not reached: {what}\n{self.log.read()[-3000:]}")

    def __enter__(self):
        self.until("ready", lambda: self.get("/readyz"))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()
        self.folder.cleanup()


def publish_a_small_city(service):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="judges", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", service.mqtt)
    client.loop_start()
    sent = []
    for number in range(VEHICLES):
        body = {
            "event_time": now(), "lat": 37.5 + number * 0.001, "lon": 127.0, "bearing": 90, "speed_mps": 8.0,
            "route_id": "402", "direction_id": 0, "trip_id": f"402-{number}", "service_date": "2026-11-24",
            "start_time": "25:10:00", "stop_id": f"s{number}", "current_status": "STOPPED_AT",
            "occupancy_status": "FEW_SEATS_AVAILABLE", "doors_open": number % 2 == 0, "delay_s": number,
        }
        sent.append(client.publish(f"topis/v1/vehicle/22/{number}/position", json.dumps(body), qos=1))
    # Three that must not reach a journey planner: no place, null island, silent about everything.
    for number, lat, lon in (("none", None, None), ("null", 0, 0), ("off", 999, 999)):
        body = {"event_time": now(), "lat": lat, "lon": lon}
        sent.append(client.publish(f"topis/v1/vehicle/22/{number}/position", json.dumps(body), qos=1))
    sent.append(client.publish("topis/v1/vehicle/22/1/alarm", json.dumps({"kind": "fire", "event_id": "j1"}), qos=1))
    incident = {"kind": "crash", "lat": 37.5, "lon": 127.0, "version": 1, "title": "at the bridge"}
    sent.append(client.publish("topis/v1/incident/police/1", json.dumps(incident), qos=1, retain=True))
    for message in sent:
        message.wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    everything = VEHICLES + 3
    service.until("the fleet", lambda: len(json.loads(service.get("/v1/vehicles")[0])["data"]) == everything)
    service.until("the alert", lambda: json.loads(service.get("/v1/alerts")[0])["data"])


def judge_gtfs_realtime(service):
    body, kind = service.get("/gtfs-rt/vehicle-positions.pb")
    feed = gtfs_realtime_pb2.FeedMessage()
    feed.ParseFromString(body)
    assert feed.IsInitialized(), feed.FindInitializationErrors()
    assert kind in ("application/x-protobuf", "application/protobuf", "application/octet-stream"), kind
    assert feed.header.gtfs_realtime_version == "2.0"
    assert feed.header.incrementality == gtfs_realtime_pb2.FeedHeader.FULL_DATASET
    assert abs(feed.header.timestamp - time.time()) < 10, "header time is now"
    ids = [entity.id for entity in feed.entity]
    assert len(ids) == len(set(ids)) == VEHICLES, f"{len(ids)} entities, {VEHICLES} with a place that can be trusted"
    for entity in feed.entity:
        vehicle = entity.vehicle
        assert 37 < vehicle.position.latitude < 38 and 126 < vehicle.position.longitude < 128, entity.id
        assert vehicle.vehicle.id and vehicle.timestamp <= feed.header.timestamp + 1
        assert not vehicle.HasField("current_status") or vehicle.stop_id, "a status without a stop says nothing"
        assert vehicle.trip.start_time == "25:10:00" and vehicle.trip.start_date == "20261124"
    json.loads(service.get("/gtfs-rt/vehicle-positions.json")[0])
    return f"{len(ids)} vehicles"


def order(service, path, body):
    request = urllib.request.Request(
        service.base + path, json.dumps({"by": "judge"} | body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())["data"]


def service_alerts(service):
    feed = gtfs_realtime_pb2.FeedMessage()
    raw = service.get("/gtfs-rt/alerts.pb")[0]
    feed.ParseFromString(raw)
    return feed, raw


def told_to_the_public(service):
    """The alerts feed with nothing in it, with two advisories, and after one was reworded and one taken back."""
    feeds = [service_alerts(service)]
    report = {"kind": "road_works", "title": "internal words", "severity": "severe", "effect": "DETOUR"}
    order(service, "/v1/incidents", report | {"id": "w1", "affects": [{"route_id": "402"}, {"stop_id": "s1"}]})
    end = datetime.fromtimestamp(time.time() + 3600, timezone.utc).isoformat(timespec="seconds")
    order(service, "/v1/incidents", report | {
        "id": "w2", "affects": [{"agency_id": "22"}, {"route_id": "402", "direction_id": 1}],
        "active_periods": [{"start": now(), "end": end}],
    })
    order(service, "/v1/incidents", report | {"id": "secret", "affects": [{"route_id": "402"}]})
    order(service, "/v1/incidents", report | {"id": "drill", "status": "exercise", "affects": [{"route_id": "402"}]})
    time.sleep(1.1)  # the header counts whole seconds, and what is judged is that it moves with the content
    words = {"title": "Buses diverted", "text": {"en": "Use the next street.", "ko": "다음 길을 이용하세요."}}
    for name in ("w1", "w2"):
        order(service, f"/v1/incidents/operator/{name}/publish", words)
    service.until("two advisories", lambda: len(service_alerts(service)[0].entity) == 2)
    feeds.append(service_alerts(service))
    time.sleep(1.1)
    order(service, "/v1/incidents/operator/w1/publish", words | {"title": "Buses diverted until evening"})
    order(service, "/v1/incidents/operator/w2/withdraw", {})
    service.until("one advisory", lambda: len(service_alerts(service)[0].entity) == 1)
    feeds.append(service_alerts(service))
    return feeds


def judge_alerts_by_hand(feeds):
    """The rules that every consumer of service alerts relies on, checked without a validator."""
    bodies, times, seen = [], [], {}
    for feed, _ in feeds:
        assert feed.IsInitialized() and feed.header.gtfs_realtime_version == "2.0", feed.header
        assert abs(feed.header.timestamp - time.time()) < 60, "the header's time is of now"
        ids = [entity.id for entity in feed.entity]
        assert len(ids) == len(set(ids)), ids
        for entity in feed.entity:
            alert = entity.alert
            assert entity.HasField("alert") and not entity.is_deleted, entity.id
            assert alert.informed_entity, f"{entity.id}: E032, no informed_entity"
            for informed in alert.informed_entity:
                specifier = informed.agency_id or informed.route_id or informed.trip.trip_id or informed.stop_id
                assert specifier or informed.HasField("route_type"), f"{entity.id}: E033, a selector without specifier"
                assert not informed.HasField("direction_id") or informed.route_id, f"{entity.id}: direction, no route"
            for text in (alert.header_text, alert.description_text):
                assert text.translation and all(t.text.strip() for t in text.translation), f"{entity.id}: no words"
                languages = [t.language for t in text.translation]
                assert len(languages) == len(set(languages)), f"{entity.id}: {languages}"
                assert len(languages) < 2 or all(languages), f"{entity.id}: several texts, one without a language"
            assert all(not p.HasField("end") or p.end > 0 for p in alert.active_period), f"{entity.id}: an end of 0"
            assert "internal" not in str(alert), "words that nobody ordered to be public"
            seen.setdefault(entity.id, []).append(alert.header_text.translation[0].text)
        bodies.append([entity.SerializeToString() for entity in feed.entity])
        times.append(feed.header.timestamp)
    assert times == sorted(times), f"the header's time went back: {times}"
    for (earlier, later), (t1, t2) in zip(zip(bodies, bodies[1:]), zip(times, times[1:])):
        assert earlier == later or t2 > t1, "the content changed and the header's time did not"
    assert len(seen) == 2 and any(len(set(texts)) == 2 for texts in seen.values()), f"stable ids, new words: {seen}"
    return f"{len(feeds)} messages, ids {', '.join(sorted(seen))}"


TIMETABLE = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\n22,City,https://example.org,Asia/Seoul\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\n402,22,402,3\n",
    "calendar_dates.txt": "service_id,date,exception_type\nd,20261124,1\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
    + "".join(f"s{n},Stop {n},{37.5 + n * 0.001:.3f},127.0\n" for n in range(VEHICLES + 1)),
    "trips.txt": "route_id,service_id,trip_id,direction_id\n" + "".join(f"402,d,402-{n},0\n" for n in range(VEHICLES)),
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    + "".join(
        f"402-{n},25:10:00,25:10:00,s{n},1\n402-{n},25:20:00,25:20:00,s{n + 1},2\n" for n in range(VEHICLES)
    ),
}


def validate(program, folder, bodies, at):
    """Runs the validator over messages in their order; its exit code and its report."""
    (folder / "messages").mkdir(parents=True)
    with zipfile.ZipFile(folder / "gtfs.zip", "w") as archive:
        for name, text in TIMETABLE.items():
            archive.writestr(name, text)
    for number, body in enumerate(bodies):
        (folder / "messages" / f"{number}.pb").write_bytes(body)
    command = [
        str(program), "-gtfs", str(folder / "gtfs.zip"), "-rt", str(folder / "messages"), "--sort", "name",
        "--at", datetime.fromtimestamp(at, timezone.utc).isoformat(), "--out", str(folder / "reports"), "--fail-on-error",
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    path = folder / "reports" / "report.json"
    assert path.exists(), f"it wrote no report, so it judged nothing: {run.stdout}{run.stderr}"
    return run.returncode, json.loads(path.read_text(encoding="utf-8"))


def judge_by_validator(service, tools, feeds):
    """gtfs-rt-validator, against a timetable that has the fleet's route, stops and trips."""
    program, folder = Path(tools) / "gtfs-rt-validator", Path(service.folder.name) / "validator"
    if not program.exists():
        return "SKIPPED: it needs Python 3.11"
    at = feeds[-1][0].header.timestamp + 1
    code, report = validate(program, folder / "ours", [raw for _, raw in feeds], at)
    judged = report["summary"]["messagesValidated"]
    notices = [f"{n['code']} {n['severity']}: {n['sampleNotices'][0]['prefix']}" for n in report["notices"]]
    assert code == 0 and judged == len(feeds), f"exit code {code}, {judged} messages: {notices}"
    # It must object to what is wrong, or its silence means nothing.
    spoiled = gtfs_realtime_pb2.FeedMessage()
    spoiled.ParseFromString(feeds[1][1])
    del spoiled.entity[0].alert.informed_entity[:]
    code, report = validate(program, folder / "spoiled", [spoiled.SerializeToString()], at)
    assert code == 1 and "E032" in {n["code"] for n in report["notices"]}, f"it lets a spoiled message pass: {report}"
    return f"{judged} messages, {len(report['summary']['rulesRun'])} rules, no error; {'; '.join(notices) or 'no warning'}"


def judge_geojson(service):
    body, kind = service.get("/v1/vehicles?f=geojson")
    assert kind == "application/geo+json", kind
    collection = FeatureCollection.model_validate_json(body)
    for feature in collection.features:
        if feature.geometry is not None:
            lon, lat = feature.geometry.coordinates[:2]
            assert abs(lon) <= 180 and abs(lat) <= 90, feature
    return f"{len(collection.features)} features"


def judge_openapi(service, tools):
    path = Path(service.folder.name) / "openapi.json"
    path.write_bytes(service.get("/v1/openapi.json")[0])
    validator = [str(Path(tools) / "openapi-spec-validator"), str(path)]
    said = subprocess.run(validator, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert said.returncode == 0, said.stdout[-3000:]
    docs, _ = service.get("/docs/")
    assert b"http://" not in docs and b"https://" not in docs, "the documentation page needs nothing from elsewhere"
    return "valid 3.1"


def judge_by_fuzzing(service, tools):
    """Streams and long polls never end or end late by design; a fuzzer would only wait for them."""
    command = [
        str(Path(tools) / "schemathesis"), "run", f"{service.base}/v1/openapi.json", "--url", service.base,
        "--exclude-path-regex", "^/v1/stream$", "--max-time", str(FUZZ_SECONDS), "--request-timeout", "35", "--workers", "1",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--phases", "examples,coverage,fuzzing", "--seed", "20261124",
    ]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=FUZZ_SECONDS * 3, cwd=service.folder.name)
    except subprocess.TimeoutExpired as slow:
        print((slow.stdout or b"").decode(errors="replace")[-1500:])
        return f"stopped after {FUZZ_SECONDS * 3} s without a finding"
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    return "no finding"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binaries, tools = (str(Path(folder).resolve()) for folder in sys.argv[1:])
    failed = []
    with Service(binaries) as service:
        publish_a_small_city(service)
        told = told_to_the_public(service)
        for name, judge in (
            ("gtfs-realtime-bindings", lambda: judge_gtfs_realtime(service)),
            ("gtfs-realtime-bindings, service alerts", lambda: judge_alerts_by_hand(told)),
            ("gtfs-rt-validator", lambda: judge_by_validator(service, tools, told)),
            ("geojson-pydantic", lambda: judge_geojson(service)),
            ("openapi-spec-validator", lambda: judge_openapi(service, tools)),
            ("schemathesis", lambda: judge_by_fuzzing(service, tools)),
        ):
            try:
                print(f"{name}: {judge()}", flush=True)
            except Exception as objection:  # any objection is a finding, and the next judge is still heard
                failed.append(name)
                print(f"{name}: OBJECTS: {objection!r}"[:8000].replace("\\n", "\n"), flush=True)
    sys.exit(f"objections: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
