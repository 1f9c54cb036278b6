package securebedrock

import "time"

// delivery is what was sent of an exchange, with which credentials, and how long the
// exchange has waited to be sent.
type delivery struct {
	accessKey string // of the credentials that the last attempt was given
	token     string // their session token
	principal string // the ARN of their role session

	sends     int   // attempts that the gate has let through
	throttled int   // of them
	throttle  error // the last of this call
	renewed   bool  // the credentials, and the call is sent once more for that
	rate      *rateLimit
	wait      time.Duration
	idleFrom  time.Time // zero while an attempt is on its way
}

// pause notes that the call waits from now on.
func (d *delivery) pause() {
	if d.idleFrom.IsZero() {
		d.idleFrom = time.Now()
	}
}

// resume notes that an attempt is about to be sent.
func (d *delivery) resume() { d.wait, d.idleFrom = d.waited(), time.Time{} }

// waited is how long the call has waited so far.
func (d *delivery) waited() time.Duration {
	if d.idleFrom.IsZero() {
		return d.wait
	}
	return d.wait + time.Since(d.idleFrom)
}
