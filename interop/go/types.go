package main

import (
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// types are the messages of the checked-in descriptor set, apart from those that Go packages register.
type types struct {
	files *protoregistry.Files
	*dynamicpb.Types
}

type fields map[string]any

func readTypes(path string) types {
	bytes := must(os.ReadFile(path))("descriptor set")
	set := &descriptorpb.FileDescriptorSet{}
	must(0, proto.Unmarshal(bytes, set))("descriptor set")
	files := must(protodesc.NewFiles(set))("descriptor set")
	return types{files: files, Types: dynamicpb.NewTypes(files)}
}

func upokt(amount int64) fields {
	return fields{"denom": "upokt", "amount": fmt.Sprint(amount)}
}

// empty is a message of this name without content.
func (t types) empty(name string) *dynamicpb.Message {
	kind := must(t.FindMessageByName(protoreflect.FullName(name)))(name)
	return kind.New().Interface().(*dynamicpb.Message)
}

// message is one with these fields.
func (t types) message(name string, content fields) *dynamicpb.Message {
	message := t.empty(name)
	fill(message, content)
	return message
}

func fill(message protoreflect.Message, content fields) {
	for name, value := range content {
		field := message.Descriptor().Fields().ByName(protoreflect.Name(name))
		if field == nil {
			fmt.Fprintf(os.Stderr, "failed: %s has no field %s\n", message.Descriptor().FullName(), name)
			os.Exit(1)
		}
		switch value := value.(type) {
		case fields:
			fill(message.Mutable(field).Message(), value)
		case []any:
			list := message.Mutable(field).List()
			for _, item := range value {
				fill(list.AppendMutable().Message(), item.(fields))
			}
		default:
			message.Set(field, protoreflect.ValueOf(value))
		}
	}
}

// text is the string at a path of message fields.
func text(message protoreflect.Message, path ...protoreflect.Name) string {
	for index, name := range path {
		field := message.Descriptor().Fields().ByName(name)
		if index == len(path)-1 {
			return message.Get(field).String()
		}
		message = message.Get(field).Message()
	}
	return ""
}
