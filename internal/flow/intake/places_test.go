package intake_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/pg/pgtest"
)

func TestPlaces(t *testing.T) {
	db := pgtest.Tx(t)
	report, err := intake.Places(ctx, db, strings.NewReader("postcode,latitude,longitude,town,country\nLS1 4DY,53.79,-1.54,Leeds,SCT\n"+
		"SW1A,51.5,-0.14,,GB\n,48.1,11.5,München,DE\n,99,1,Nowhere,GB\n,1,2,,GB\n,51,1,Ashford,GB\n,53,-2,Ashford,GB\n,nan,2,X,GB\n"), "GB")
	require.NoError(t, err)
	require.Equal(t, intake.PlacesReport{Rows: 8, Postcodes: 2, Towns: 1, Refused: map[string]int{
		"no latitude from -90 to 90 and longitude from -180 to 180": 2, "neither a postcode nor a town": 1,
		"several towns of this name": 1}}, report)
	var names string
	require.NoError(t, db.QueryRow(ctx, `SELECT string_agg(country || ' ' || key, ', ' ORDER BY key) FROM place`).Scan(&names))
	require.Equal(t, "GB LS14DY, DE MÜNCHEN, GB SW1A", names)
	again, err := intake.Places(ctx, db, strings.NewReader(`[{"name":"Leeds","lat":"53.8","lng":-1.5,"country":"GB"}]`), "GB")
	require.NoError(t, err)
	require.Equal(t, 1, again.Towns)
	_, err = intake.Places(ctx, db, strings.NewReader(`[{"name":`), "GB")
	require.ErrorIs(t, err, intake.ErrFile)
	_, err = intake.Places(ctx, db, strings.NewReader("a,b\n1,2\n"), "GB")
	require.ErrorIs(t, err, intake.ErrFile)
}

// The districts of Britain, where they lie beside the project.
func TestPlacesOfBritain(t *testing.T) {
	file, err := os.Open("../../../../shared/data/places/uk_outcodes.csv")
	if os.IsNotExist(err) {
		t.Skip("the districts are not here")
	}
	require.NoError(t, err)
	defer file.Close()
	report, err := intake.Places(ctx, pgtest.Tx(t), file, "GB")
	require.NoError(t, err)
	require.Greater(t, report.Postcodes, 2800)
}
