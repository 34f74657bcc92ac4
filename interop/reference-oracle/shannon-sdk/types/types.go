// Package types stands in for the package of the same name of the reference's SDK, which the module proxy does not serve.
// The application is compiled against its names and calls none of them.
package types

import "google.golang.org/protobuf/proto"

type Header struct {
	Key    string
	Values []string
}

type POKTHTTPRequest struct {
	Method string
	Url    string
	Header map[string]*Header
	BodyBz []byte
}

type POKTHTTPResponse struct {
	proto.Message
	StatusCode uint32
	Header     map[string]*Header
	BodyBz     []byte
}

func DeserializeHTTPRequest([]byte) (*POKTHTTPRequest, error) {
	panic("not called by the state machine")
}

func (*POKTHTTPRequest) CopyToHTTPHeader(any) { panic("not called by the state machine") }
