package seamark

// Budget is what a tenant means to send in a month of UTC. It limits nothing: its owner is told in time.
type Budget struct {
	Signal string `json:"signal"` // "" for all signals together
	Rows   int64  `json:"rows"`   // 0 is none
	Bytes  int64  `json:"bytes"`  // of inflated bodies; 0 is none
}
