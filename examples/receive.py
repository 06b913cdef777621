import json, sys, urllib.request as http

url, token = sys.argv[1:]  # http://127.0.0.1:8000/demo/chat/users/alice/stream
head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
told = {}
for line in http.urlopen(http.Request(url, headers=head)):
    name, _, value = line.decode().rstrip("\n").partition(": ")
    told[name] = value
    if not name and told.pop("event", "") == "message":  # an empty line ends an event
        print(json.loads(told["data"])["payload"]["bodies"][0]["msg"], flush=True)
        body = json.dumps({"upto": told["id"]}).encode()
        http.urlopen(http.Request(f"{url}/ack", body, head))
