#!/usr/bin/env python3
"""Publishes a test feed: one bus that drives a circle, and, if asked, its driver's alarm.

    pip install paho-mqtt          # 2.x
    python3 simulator/examples/publish.py --seconds 60
    python3 simulator/examples/publish.py --alarm panic --seconds 5

See what it did:

    curl -s http://127.0.0.1:8080/v1/vehicles/py/bus-1
    curl -s 'http://127.0.0.1:8080/v1/alerts?f=text'
"""

import argparse
import json
import math
import time
import uuid
from datetime import datetime, timezone

import paho.mqtt.client as mqtt

CENTRE = (37.5665, 126.9780)
RADIUS_M = 400.0
SPEED_MPS = 9.0
METRES_PER_DEGREE = 111_195.0


def now() -> str:
    """The time as the service wants it: RFC 3339 with milliseconds and an offset."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def position(elapsed_s: float) -> dict:
    """Where the bus is after so many seconds."""
    angle = elapsed_s * SPEED_MPS / RADIUS_M
    north_m, east_m = RADIUS_M * math.cos(angle), RADIUS_M * math.sin(angle)
    lat = CENTRE[0] + north_m / METRES_PER_DEGREE
    lon = CENTRE[1] + east_m / (METRES_PER_DEGREE * math.cos(math.radians(CENTRE[0])))
    return {
        "event_time": now(),
        "lat": round(lat, 6),
        "lon": round(lon, 6),
        "bearing": round((math.degrees(angle) + 90) % 360, 1),
        "speed_mps": SPEED_MPS,
        "mode": "bus",
        "route_id": "circle",
        "direction_id": 0,
        "journey_state": "in_service",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--prefix", default="topis")
    parser.add_argument("--agency", default="py")
    parser.add_argument("--vehicle", default="bus-1")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--alarm", metavar="KIND", help="press the button after two seconds: panic, fire, medical, ...")
    args = parser.parse_args()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect(args.host, args.port, keepalive=10)
    client.loop_start()
    base = f"{args.prefix}/v1/vehicle/{args.agency}/{args.vehicle}"
    started, pressed = time.monotonic(), False
    while (elapsed := time.monotonic() - started) < args.seconds:
        client.publish(f"{base}/position", json.dumps(position(elapsed)), qos=0)
        if args.alarm and not pressed and elapsed >= 2:
            # A fresh id for every press: the same id and time again would be the same alarm.
            body = {"event_id": str(uuid.uuid4()), "event_time": now(), "kind": args.alarm, "source": "driver"}
            client.publish(f"{base}/alarm", json.dumps(body), qos=1).wait_for_publish(5)
            print(f"pressed {args.alarm} on {base}/alarm: {body['event_id']}")
            pressed = True
        time.sleep(1)
    client.loop_stop()
    client.disconnect()


if __name__ == "__main__":
    main()
