package quota

// floorPart is what every node gets of an equal share whatever it asks for, so that a burst that arrives at a quiet node
// is not refused while others rest. The other half goes by demand.
const floorPart = 0.5

// stake is one node's part in one limit.
type stake struct {
	demand float64 // as a part of the limit: 1 asks for all of it
	share  float64 // what the node uses, as a part of the limit
}

// nextShare returns the share that a node may use next. The node has just read the others' stakes and publishes the
// result before it uses more than before. nodes counts the nodes that are alive, this one included.
//
// A share shrinks towards its target at once and grows only into room that the others have visibly left, so that the sum
// of all shares stays at or below 1 however demand moves. It passes 1 for the time between a node's arrival and the
// others' next refresh, and by no more than the arrival's floor, or for up to two refreshes when two nodes read and publish
// between each other, or when a node wakes that has not read yet of one that came.
func nextShare(mine stake, others []stake, nodes int) float64 {
	floor := floorPart / float64(max(nodes, len(others)+1))
	taking, demand, used := 1, mine.demand, mine.share
	for _, o := range others {
		if o.demand > 0 || o.share > 0 {
			taking++
			demand += o.demand
			used += o.share
		}
	}
	target := func(s stake) float64 {
		if demand == 0 {
			return 1 / float64(taking)
		}
		return floor + (1-floor*float64(taking))*s.demand/demand
	}
	goal := target(mine)
	if used > 1 {
		return max(floor, min(goal, mine.share/used))
	}
	if goal <= mine.share {
		return goal
	}
	wanted := goal - mine.share
	for _, o := range others {
		if o.demand > 0 || o.share > 0 {
			wanted += max(0, target(o)-o.share)
		}
	}
	return max(floor, mine.share+(1-used)*(goal-mine.share)/wanted)
}

// firstShare returns what a node uses from a limit's first request on until its next refresh.
func firstShare(others []stake, nodes int) float64 {
	if nodes <= 1 {
		return 1
	}
	room := 1.0
	for _, o := range others {
		room -= o.share
	}
	equal := 1 / float64(nodes)
	return max(floorPart*equal, min(equal, room))
}
