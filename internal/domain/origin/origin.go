// Package origin says where something was done: through which channel, at which location, by whom and on which device.
package origin

// Channel is how somebody reached the shop.
type Channel string

const (
	Web     Channel = "web"
	Counter Channel = "counter"
	Kiosk   Channel = "kiosk"
	Scan    Channel = "scan"
	Chat    Channel = "chat"
	Phone   Channel = "phone"
	API     Channel = "api" // imports, jobs and other programs
)

// All channels there are. A CHECK on each channel column holds the same names.
var All = []Channel{Web, Counter, Kiosk, Scan, Chat, Phone, API}

// Origin is where something is done. What does not apply is 0 or empty.
type Origin struct {
	Channel     Channel
	LocationID  int64
	AssociateID int64 // who works there; 0: the customer did it, or nobody
	DeviceID    int64 // of the store
	Language    string
	Form        string // token of the form that asks for it, so that one sent twice does it once; empty: none
}

// Job is the origin of what the shop does by itself.
func Job() Origin { return Origin{Channel: API} }
