package message

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMailsQueuedBeforeAnUpdateAreRead(t *testing.T) {
	for written, want := range map[string]OrderMail{
		`{"order_id":7,"mail":"short","line":3}`: {OrderID: 7, Mail: MailShort, LineID: 3},
		`{"order_id":7,"mail":"ready","line":3}`: {OrderID: 7, Mail: MailReady, FulfilmentID: 3},
		`{"order_id":7,"mail":"hold","line":32}`: {OrderID: 7, Mail: MailHold, FulfilmentID: 3,
			Reminder: 2},
		`{"order_id":7,"mail":"returned","return_id":9}`: {OrderID: 7, Mail: MailReturned, ReturnID: 9},
		`{"order_id":7,"mail":"hold","fulfilment_id":3,"reminder":1}`: {OrderID: 7, Mail: MailHold, FulfilmentID: 3,
			Reminder: 1},
	} {
		var m OrderMail
		require.NoError(t, json.Unmarshal([]byte(written), &m))
		require.Equal(t, want, m)
		again, err := json.Marshal(m)
		require.NoError(t, err)
		var same OrderMail
		require.NoError(t, json.Unmarshal(again, &same))
		require.Equal(t, want, same)
		var before struct {
			Line int64 `json:"line"`
		}
		require.NoError(t, json.Unmarshal(again, &before))
		require.NotZero(t, before.Line, "the version before reads this number")
	}
	require.Equal(t, "hold:32", OrderMail{Mail: MailHold, FulfilmentID: 3, Reminder: 2}.Once())
	require.Equal(t, "confirmed", OrderMail{Mail: MailConfirmed}.Once())
}
