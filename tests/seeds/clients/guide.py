import websockets
import json

async def connect():
    async with websockets.connect("ws://localhost:8082") as ws:
        # Wait for connection confirmation
        msg = await ws.recv()
        event = json.loads(msg)
        if event["type"] == "connection" and event["event"] == "CONNECTED":
            print("Connected to proxy")
        # Start receiving events
        async for message in ws:
            handle_event(json.loads(message))
