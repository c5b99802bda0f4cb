"""Lets other people's programs read what the service writes: GTFS-Realtime, GeoJSON, OpenAPI, and a fuzzing HTTP client.

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
        for name, judge in (
            ("gtfs-realtime-bindings", lambda: judge_gtfs_realtime(service)),
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
