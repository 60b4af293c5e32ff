package bus

import "time"

// SetTry sets the bound of one try.
func (p *Patience) SetTry(d time.Duration) { p.try = d }
