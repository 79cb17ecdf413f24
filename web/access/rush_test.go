package access

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Sixteen are answered at a time, each in a tenth of a second: a queue of two seconds is 320 requests.
func TestWhoWouldWaitTooLongIsRefused(t *testing.T) {
	var q rush
	now := time.Now()
	answer := func(n int) {
		for range n {
			now = now.Add(100 * time.Millisecond / 16)
			q.leave(now)
		}
	}
	for range 20 * busy { // It learns how fast answers are.
		for range busy {
			q.enter(true)
		}
		answer(busy)
	}
	for range 4 * busy {
		require.True(t, q.enter(false))
	}
	taken := q.underWay
	for range 1000 {
		if q.enter(false) {
			taken++
		}
	}
	require.InDelta(t, 320, taken, 100)
	require.False(t, q.enter(false))
	require.True(t, q.enter(true), "a till, or a payment")
	answer(taken - busy)
	require.True(t, q.enter(false), "the queue is short again")
}

func TestNobodyIsRefusedWhereLittleIsUnderWay(t *testing.T) {
	var q rush
	now := time.Now()
	for range 100 { // However slow the answers.
		require.True(t, q.enter(false))
		now = now.Add(5 * time.Second)
		q.leave(now)
	}
	for range 2 * busy {
		require.True(t, q.enter(false))
	}
}
