package gallery

import (
	"encoding/binary"
	"image"
)

// orientation of a JPEG, from 1 to 8, as its camera wrote it (Exif 2.32, tag 0x0112); 1, upright, where nothing is said.
func orientation(file []byte) int {
	if len(file) < 4 || file[0] != 0xff || file[1] != 0xd8 {
		return 1
	}
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker, size := file[at+1], int(binary.BigEndian.Uint16(file[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(file) || marker == 0xda {
			return 1
		}
		if segment := file[at+4 : end]; marker == 0xe1 && len(segment) > 14 && string(segment[:6]) == "Exif\x00\x00" {
			return exifOrientation(segment[6:])
		}
		at = end
	}
	return 1
}

// exifOrientation reads the first directory of a TIFF header.
func exifOrientation(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	directory := int(order.Uint32(tiff[4:]))
	if directory < 8 || directory+2 > len(tiff) {
		return 1
	}
	for i := range int(order.Uint16(tiff[directory:])) {
		entry := directory + 2 + 12*i
		if entry+12 > len(tiff) {
			return 1
		}
		if order.Uint16(tiff[entry:]) == 0x0112 {
			if n := int(order.Uint16(tiff[entry+8:])); n >= 1 && n <= 8 {
				return n
			}
			return 1
		}
	}
	return 1
}

// upright turns a photograph as its orientation says.
func upright(photo image.Image, orientation int) image.Image {
	if orientation == 1 {
		return photo
	}
	b := photo.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	turned := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			from := [...]image.Point{2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y}, 5: {y, x},
				6: {y, h - 1 - x}, 7: {w - 1 - y, h - 1 - x}, 8: {w - 1 - y, x}}[orientation]
			turned.Set(x, y, photo.At(b.Min.X+from.X, b.Min.Y+from.Y))
		}
	}
	return turned
}
