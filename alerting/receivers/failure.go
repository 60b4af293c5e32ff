package receivers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/alertmanager/notify"

	"github.com/seamarkhq/seamark/internal/guard"
)

// Failure is why a delivery did not succeed, without secrets: it stands in logs, the delivery log and answers to tests.
type Failure struct {
	// Status is what the service answered: an HTTP status or an SMTP code; 0 without an answer.
	Status int
	// Said is the service's own word for it, taken from the field that its API has for errors; "" when it said nothing.
	Said string
	// Reason is ours, a half sentence.
	Reason string
	// Retry says that the same message may succeed later, RetryAfter how long the service wants to be left alone.
	Retry      bool
	RetryAfter time.Duration
	// Blocked says that the guard refused the address.
	Blocked bool
}

// Error implements error.
func (f *Failure) Error() string {
	text := f.Reason
	if text == "" {
		text = fmt.Sprintf("the receiver answered %d", f.Status)
	}
	if f.Said != "" {
		text += ": " + f.Said
	}
	return text
}

// Unwrap lets errors.Is find that the guard refused the address.
func (f *Failure) Unwrap() error {
	if f.Blocked {
		return guard.ErrBlocked
	}
	return nil
}

// As lets upstream's pipeline find the reason that its metrics count the failure under.
func (f *Failure) As(target any) bool {
	to, ok := target.(**notify.ErrorWithReason)
	if ok {
		*to = notify.NewErrorWithReason(reasonOf(f), f)
	}
	return ok
}

// maxSaidBytes bounds what is repeated of a service's words.
const maxSaidBytes = 300

// maxRetryAfter bounds what a service may ask for: a notification that waits longer is overtaken by the next one.
const maxRetryAfter = 10 * time.Minute

// printable cuts what a service said to one short line of printable characters.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.TrimSpace(text)
	if len(text) > maxSaidBytes {
		text = strings.ToValidUTF8(text[:maxSaidBytes], "") + "…"
	}
	return text
}

// final is a failure that another attempt would repeat.
func final(format string, args ...any) *Failure {
	return &Failure{Reason: fmt.Sprintf(format, args...)}
}

// again is a failure that may pass.
func again(format string, args ...any) *Failure {
	return &Failure{Reason: fmt.Sprintf(format, args...), Retry: true}
}

// unreached classifies what net and net/http return. Their texts hold the URL, with its secrets, and are not repeated.
func unreached(err error) *Failure {
	if errors.Is(err, guard.ErrBlocked) {
		return &Failure{Blocked: true, Reason: "the address is not one that receivers may have"}
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	reason := "the connection failed"
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && t.Timeout() {
		reason = "the receiver did not answer in time"
	}
	return again("%s", reason)
}

// judgeStatus takes 2xx as delivered and tries again what may pass: overload and the receiver's own faults. A redirect is
// final: it would lead around what the configuration says.
func judgeStatus(a *answer) *Failure {
	if a.status/100 == 2 {
		return nil
	}
	return &Failure{
		Status:     a.status,
		Retry:      a.status/100 == 5 || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout,
		RetryAfter: retryAfter(a.header, a.now),
	}
}

// retryAfter reads RFC 9110's Retry-After, seconds or a date; 0 without one.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	wait := time.Duration(0)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		wait = maxRetryAfter
		if seconds < maxRetryAfter.Seconds() {
			wait = time.Duration(seconds * float64(time.Second))
		}
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, maxRetryAfter))
}

// reasonOf is the failure's name in upstream's metrics.
func reasonOf(f *Failure) notify.Reason {
	if f.Status >= http.StatusBadRequest && f.Status < 600 {
		return notify.GetFailureReasonFromStatusCode(f.Status)
	}
	return notify.DefaultReason
}
