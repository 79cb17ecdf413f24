package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/flow/assortment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
)

// upload is a file that arrived.
type upload struct {
	Name    string
	Content []byte
}

// uploads reads a form with files, each at most so many bytes; what comes after the most files is left. The fields
// beside them are read too.
func uploads(r *http.Request, maxBytes, maxFiles int) (files []upload, fields map[string]string, err error) {
	fields = map[string]string{}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "Choose a file first.")
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return files, fields, nil
		}
		if err != nil {
			return nil, nil, broken(err)
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, 10_000))
			if err != nil {
				return nil, nil, broken(err)
			}
			if part.FormName() != "" {
				fields[part.FormName()] = text.Clean(string(value), 2000)
			}
			continue
		}
		if len(files) >= maxFiles {
			return nil, nil, fault.New(fault.Invalid, "That’s too many files at once. Choose up to {most}.",
				text.Args{"most": maxFiles})
		}
		file, err := readPart(part, maxBytes)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file)
	}
}

func readPart(part *multipart.Part, maxBytes int) (upload, error) {
	name := text.Clean(path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")), 80)
	body, err := io.ReadAll(io.LimitReader(part, int64(maxBytes)+1))
	if err != nil {
		return upload{}, broken(err)
	}
	if len(body) > maxBytes {
		return upload{}, fault.New(fault.Invalid, "{name} is larger than {most} MB. Make it smaller and try again.",
			text.Args{"name": name, "most": maxBytes >> 20})
	}
	return upload{name, body}, nil
}

// broken is a form with files that did not arrive whole.
func broken(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.Invalid, "That’s more than we can take at once. Choose fewer files, or smaller ones.")
	}
	return fault.New(fault.Invalid, "The file didn’t arrive whole. Try again.")
}

func (p *Pages) addPictures(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.edited(r, "pictures", merge.Edit{}, func() error {
		files, _, err := uploads(r, gallery.MaxBytes, 12)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fault.New(fault.Invalid, "Choose a file first.")
		}
		var keys []string
		for _, file := range files {
			key, err := gallery.Accept(r.Context(), p.Files, file.Name, file.Content)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return assortment.AddPictures(r.Context(), p.DB, at(r), id(r, "id"), keys)
	}, "#pictures")
}

// orderPictures puts the pictures in the order that was dragged, or one of them a place further.
func (p *Pages) orderPictures(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var ids []int64
	for one := range strings.SplitSeq(r.PostFormValue("order"), ",") {
		if n, err := strconv.ParseInt(one, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	return p.edited(r, "pictures", merge.Edit{}, func() error {
		return assortment.OrderPictures(r.Context(), p.DB, at(r), id(r, "id"), ids)
	}, "#pictures")
}

func (p *Pages) savePicture(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	number := func(name string) int { return max(0, count(r.PostFormValue(name))) }
	crop := catalog.Crop{CropLeft: number("crop_left"), CropTop: number("crop_top"), CropWidth: number("crop_width")}
	if crop.CropWidth == 1000 && crop.CropLeft == 0 && crop.CropTop == 0 {
		crop.CropWidth = 0
	}
	crop.CropLeft = min(crop.CropLeft, 1000-min(crop.CropWidth, 1000))
	return p.edited(r, "pictures", merge.Edit{}, func() error {
		return assortment.SetPicture(r.Context(), p.DB, at(r), id(r, "id"), id(r, "picture"), r.PostFormValue("alt"),
			crop)
	}, "#pictures")
}

func (p *Pages) removePicture(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.edited(r, "pictures", merge.Edit{}, func() error {
		return assortment.RemovePicture(r.Context(), p.DB, at(r), id(r, "id"), id(r, "picture"))
	}, "#pictures")
}

const maxFileBytes = 10 << 20

// addFile puts a PDF beside the product.
func (p *Pages) addFile(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.edited(r, "files", merge.Edit{}, func() error {
		files, fields, err := uploads(r, maxFileBytes, 1)
		if err != nil {
			return err
		}
		if len(files) == 0 || len(files[0].Content) == 0 {
			return fault.Field("file", "Choose a file first.")
		}
		body := files[0].Content
		if !bytes.HasPrefix(body, []byte("%PDF-")) || !bytes.Contains(body[max(0, len(body)-2048):], []byte("%%EOF")) {
			return fault.Field("file", "{name} isn’t a PDF, or it’s damaged.", text.Args{"name": files[0].Name})
		}
		sum := sha256.Sum256(body)
		file := catalog.File{Title: fields["file_title"], Key: "file-" + hex.EncodeToString(sum[:12]), Bytes: len(body)}
		if file.Title == "" {
			file.Title = strings.TrimSuffix(files[0].Name, path.Ext(files[0].Name))
		}
		if err := p.Files.Put(file.Key, bytes.NewReader(body)); err != nil {
			return err
		}
		return assortment.AddFile(r.Context(), p.DB, at(r), id(r, "id"), file)
	}, "#files")
}

func (p *Pages) removeFile(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.edited(r, "files", merge.Edit{}, func() error {
		return assortment.RemoveFile(r.Context(), p.DB, at(r), id(r, "id"), id(r, "file"))
	}, "#files")
}
