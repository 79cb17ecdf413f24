package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCaughtMailIsShownAtHomeOnly(t *testing.T) {
	for address, want := range map[string]bool{"http://127.0.0.1:8080": true, "http://localhost:8080": true,
		"http://[::1]:8080": true, "http://0.0.0.0:8080": false, "https://shop.example": false,
		"http://10.0.0.2": false, "": false} {
		require.Equal(t, want, local(address), address)
	}
}
