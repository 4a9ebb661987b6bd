import asyncio
import websockets
import json

async def connect_ai_websocket():
    uri = "ws://localhost:8000/ws"
    async with websockets.connect(uri) as websocket:
        print("âœ… Connected to AI WebSocket")

        async for message in websocket:
            data = json.loads(message)
            print(f"ðŸ“¨ Received: {data}")
            await handle_ai_signal(data)
