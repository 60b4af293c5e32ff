package admit

// Scan reports whether the query reads much, by its estimate or by what it has read, so that what it has begun goes behind others'.
func (q *Query) Scan() bool {
	if q == nil {
		return false
	}
	q.owner.mu.Lock()
	defer q.owner.mu.Unlock()
	return q.state.counted == scanLane || q.state.lane == scanLane
}
