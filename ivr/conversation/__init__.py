"""What happens in a call: (flow, call, event) to (call, actions). Pure: time arrives in events, deadlines leave in actions."""
