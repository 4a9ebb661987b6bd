import asyncio
import json
import uuid
from datetime import datetime
import websockets

async def main():
    uri = "ws://localhost:8082/ws"
    async with websockets.connect(uri) as ws:
        print("Connected to Trading API")
        while True:
            message = await ws.recv()
            event = json.loads(message)
            # Handle ping/pong heartbeat
            if event.get("type") == "ping":
                await ws.send(json.dumps({"type": "pong"}))
                continue
            # Process market events
            event_type = event.get("type")
            print(f"Received event: {event_type}")
            if event_type == "candle":
                bar = event.get("bar", {})
                print(f" {bar.get('symbol')} - Close: {bar.get('close')}")
            elif event_type == "quote":
                quote = event.get("quote", {})
                print(f" {quote.get('symbol')} - Bid: {quote.get('bid')} Ask: {quote.get('ask')}")
            # Acknowledge the event
            ack = {
                "type": "event_ack",
                "correlation_id": str(uuid.uuid4()),
                "events_processed": [event.get("id", "unknown")],
                "timestamp": int(datetime.now().timestamp() * 1000)
            }
            await ws.send(json.dumps(ack))

if __name__ == "__main__":
    asyncio.run(main())
