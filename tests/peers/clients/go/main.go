// Go's net/http.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}

func call(client *http.Client, method, url string) error {
	var body io.Reader
	expected := "hello\n"
	if method == "POST" {
		body, expected = bytes.NewReader(bytes.Repeat([]byte("x"), 1024)), "1024\n"
	}
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != 200 || string(text) != expected {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	if http2 := os.Args[6] == "2"; http2 != (response.ProtoMajor == 2) {
		return fmt.Errorf("the response has %s", response.Proto)
	}
	return nil
}

func main() {
	url, method, callers, seconds, pause := os.Args[1], os.Args[2], number(os.Args[3]), number(os.Args[4]), number(os.Args[5])
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the server's certificate is self-signed
	if os.Args[6] != "2" {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	calls, failures := 0, map[string]int{}
	var lock sync.Mutex
	var all sync.WaitGroup
	fmt.Println("started")
	for caller := 0; caller < callers; caller++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				err := call(client, method, url)
				lock.Lock()
				calls++
				if err != nil {
					for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(err) {
						err = cause
					}
					failures[err.Error()]++
				}
				lock.Unlock()
				time.Sleep(time.Duration(rand.Intn(pause*1000+1)) * time.Microsecond)
			}
		}()
	}
	all.Wait()
	printed, err := json.Marshal(map[string]any{"calls": calls, "errors": failures})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(printed))
}
