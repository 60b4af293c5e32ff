package receivers

import (
	"testing"
	"time"
)

// TestNothingIsSentByAProcessThatMayNot loses the right to send while it makes the message: the check comes last.
func TestNothingIsSentByAProcessThatMayNot(t *testing.T) {
	f := newFake(t, reply{200, nil, ""})
	o, _ := testOptions(t)
	may, asked := true, 0
	o.May = func() bool { asked++; return may }
	clock := o.Now
	o.Now = func() time.Time { // of the signature, and of all before it
		if asked > 0 {
			may = false
		}
		return clock()
	}
	n := build(t, o, receiverOf(t, "webhook", "url: "+f.URL))
	retry, err := n.Notify(groupContext(t), alertsOf(testAlert(false))...)
	if failureOf(t, retry, err) != nil || len(f.requests()) != 1 {
		t.Fatalf("while it may: %v, %d requests, want one", err, len(f.requests()))
	}
	retry, err = n.Notify(groupContext(t), alertsOf(testAlert(false))...)
	if failure := failureOf(t, retry, err); failure == nil || failure.Retry || len(f.requests()) != 1 {
		t.Errorf("got %v and %d requests, want a final failure and no second one", err, len(f.requests()))
	}
	if asked != 2 {
		t.Errorf("the right was asked %d times for two messages", asked)
	}
}
