package jobs

import "time"

// Nightly says whether what was done last at a time is due again: once a night, between one and five in UTC, or when it
// was not for two days.
func Nightly(done *time.Time, now time.Time) bool {
	hour := now.UTC().Hour()
	return done == nil || now.Sub(*done) > 48*time.Hour || now.Sub(*done) > 20*time.Hour && hour >= 1 && hour < 5
}
