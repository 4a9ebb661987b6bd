package main

import (
	"encoding/json"
	"fmt"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"log"
	"time"
)

type EventAck struct {
	Type            string   `json:"type"`
	CorrelationID   string   `json:"correlation_id"`
	EventsProcessed []string `json:"events_processed"`
	Timestamp       int64    `json:"timestamp"`
}
type Pong struct {
	Type string `json:"type"`
}

func main() {
	url := "ws://localhost:8082/ws"
	conn, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		log.Fatal("Connection failed:", err)
	}
	defer conn.Close()
	fmt.Println("Connected to Trading API")
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			log.Println("Read error:", err)
			return
		}
		var event map[string]interface{}
		if err := json.Unmarshal(message, &event); err != nil {
			log.Println("Parse error:", err)
			continue
		}
		eventType, _ := event["type"].(string)
		// Handle ping/pong heartbeat
		if eventType == "ping" {
			pong := Pong{Type: "pong"}
			conn.WriteJSON(pong)
			continue
		}
		// Process market events
		fmt.Printf("Received event: %s\n", eventType)
		switch eventType {
		case "candle":
			if bar, ok := event["bar"].(map[string]interface{}); ok {
				fmt.Printf(" %s - Close: %s\n", bar["symbol"], bar["close"])
			}
		case "quote":
			if quote, ok := event["quote"].(map[string]interface{}); ok {
				fmt.Printf(" %s - Bid: %s Ask: %s\n",
					quote["symbol"], quote["bid"], quote["ask"])
			}
		}
		// Acknowledge the event
		eventID := "unknown"
		if id, ok := event["id"].(string); ok {
			eventID = id
		}
		ack := EventAck{
			Type:            "event_ack",
			CorrelationID:   uuid.New().String(),
			EventsProcessed: []string{eventID},
			Timestamp:       time.Now().UnixMilli(),
		}
		conn.WriteJSON(ack)
	}
}
