#!/usr/bin/env python3
"""What compose, Terraform, nginx, Prometheus, Grafana, the image and the documents say, held against the code.

Prints `ok - …` and `not ok - …`. Needs PyYAML. The code is the truth: ports and variables are read from Sources.
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
failures = 0


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def expect(name, holds, detail=""):
    global failures
    if holds:
        print(f"ok - {name}")
    else:
        failures += 1
        print(f"not ok - {name}" + (f"\n    {detail}" if detail else ""))


def expect_none(name, wrong):
    wrong = sorted(set(wrong))
    expect(name, not wrong, ", ".join(str(item) for item in wrong))


def sources(folder):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "Sources" / folder).rglob("*.swift")))


# --- The code ---------------------------------------------------------------------------------------------------------

MODULES = {"otp-service": "OTPService", "user-service": "UserService", "admin-service": "AdminService"}
CORE = sources("Core")
CODE = {name: sources(module) for name, module in MODULES.items()}
EVERYTHING = CORE + "".join(CODE.values()) + sources("MSG91Simulator")
READ = re.compile(r'(?:reader\s*\.\s*\w+\(\s*|url\(\s*reader,\s*|secret\(\s*reader,\s*|value\(\s*|environment\[\s*|(?:databaseVariable|variable)\b[^"\n]*=\s*)"([A-Z][A-Z0-9_]{2,})"')


def variables(code):
    return set(READ.findall(code))


PORT = {name: int(re.search(r"defaultPort\w*\b[^\d\n]*(\d{4})", code)[1]) for name, code in CODE.items()}
DATABASE_VARIABLE = {name: re.search(r'databaseVariable\b[^"\n]*"(\w+)"', code)[1] for name, code in CODE.items()}
KNOWN = variables(EVERYTHING) | set(DATABASE_VARIABLE.values()) | {"DATABASE_URL"}
# libpq reads this one.
KNOWN |= {"PGPASSWORD"}

# The scripts' table of services.
services_sh = text("scripts/lib/services.sh")
DATABASE = dict(re.findall(r"^        (\w+-service)\) echo (\w+) ;;$", services_sh[services_sh.index("database_of()") :][:200], re.M))
DATABASE_PORT = dict(re.findall(r"^        (\w+-service)\) echo (\d{4}) ;;$", services_sh, re.M))
URLS = dict(re.findall(r'^        "?(\$SIMULATOR|\w+-service)"?\) echo http://127\.0\.0\.1:(\d+) ;;$', services_sh, re.M))

expect("the contract's ports are the services' defaults", PORT == {"otp-service": 8081, "user-service": 8082, "admin-service": 8083}, str(PORT))
expect("the scripts have the same ports", all(URLS.get(name) == str(port) for name, port in PORT.items()), str(URLS))

# --- Compose ----------------------------------------------------------------------------------------------------------

compose = yaml.safe_load(text("docker-compose.yml"))
services = compose["services"]
EXTRA = {name for name, service in services.items() if service.get("profiles")}


def environment(service):
    return {key: str(value) for key, value in (services[service].get("environment") or {}).items()}


def default(value):
    """The value of ${NAME:-default} without a .env."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def published(service):
    return [default(port).split(":") for port in services[service].get("ports", [])]


for name, port in PORT.items():
    expect(f"compose: {name} on 127.0.0.1:{port}", published(name) == [["127.0.0.1", str(port), str(port)]] and environment(name)["PORT"] == str(port), str(published(name)))
    url = environment(name).get(DATABASE_VARIABLE[name], "")
    host = re.search(r"@([\w-]+):5432/(\w+)$", url)
    expect(f"compose: {name} uses the database {DATABASE[name]} by {DATABASE_VARIABLE[name]}", bool(host) and host[2] == DATABASE[name], url)
    if host:
        expect(f"compose: {host[1]} on 127.0.0.1:{DATABASE_PORT[name]}", published(host[1]) == [["127.0.0.1", DATABASE_PORT[name], "5432"]], str(published(host[1])))
        expect(f"compose: {host[1]} makes the database {DATABASE[name]}", environment(host[1])["POSTGRES_DB"] == DATABASE[name])
        expect(f"compose: {host[1]} keeps its data in a volume of its own", len({volume for db in ("otp-db", "user-db", "admin-db") for volume in services[db]["volumes"]}) == 3)
    test = services[name]["healthcheck"]["test"]
    expect(f"compose: {name} is its own health check", test == ["CMD", f"/app/{name}", "health", "--ready"], str(test))
    migrate = name.replace("service", "migrate")
    expect(f"compose: {name} waits for its migration", services[name]["depends_on"][migrate]["condition"] == "service_completed_successfully")
    expect(f"compose: {migrate} has the settings of {name}", services[migrate]["environment"] == services[name]["environment"] and services[migrate]["command"] == ["migrate"])
# admin-service asks otp-service for operators' codes, and says for which address.
expect("compose: otp-service believes the containers about addresses", "172.16.0.0/12" in environment("otp-service")["TRUSTED_PROXIES"])
expect("terraform: otp-service believes admin-service about addresses", bool(re.search(r'TRUSTED_PROXIES\s*=.*each\.key == "otp-service" \? module\.network\.private_subnet_cidrs', text("terraform/main.tf"))))
expect("compose: the simulator on 127.0.0.1:8090", published("msg91-simulator") == [["127.0.0.1", URLS["$SIMULATOR"], URLS["$SIMULATOR"]]], str(published("msg91-simulator")))


def needs(service):
    """What `docker compose up SERVICE` starts beside it."""
    found = set()
    for other in services[service].get("depends_on") or {}:
        found |= {other} | needs(other)
    return found


expect("compose: otp-service alone starts with what it needs", needs("otp-service") == {"secrets", "otp-db", "otp-migrate", "msg91-simulator"}, str(needs("otp-service")))
expect("compose: user-service alone starts with what it needs", needs("user-service") == {"secrets", "user-db", "user-migrate"}, str(needs("user-service")))
expect_none("compose: every wait has its condition", [f"{name}: {other}" for name in services for other, how in (services[name].get("depends_on") or {}).items() if how["condition"] != ("service_completed_successfully" if services[other].get("restart") == "no" else "service_healthy" if "healthcheck" in services[other] else "service_started")])
expect_none("compose: ports are published on this machine alone", [name for name in services for port in published(name) if port[0] != "127.0.0.1"])
expect_none("compose: nothing depends on the observability profile", [name for name in services if name not in EXTRA and EXTRA & set(services[name].get("depends_on") or {})])
expect_none("compose: what serves starts again by itself", [name for name in services if services[name].get("restart") not in ("unless-stopped", "no")])
ours = [name for name in services if "build" in services[name]]
expect_none("compose: our containers are read-only and without capabilities", [name for name in ours if not services[name].get("read_only") or services[name].get("cap_drop") != ["ALL"]])
expect_none("compose: what it mounts is there", [v for s in services.values() for v in map(str, s.get("volumes", [])) if v.startswith("./") and not (ROOT / v.split(":")[0]).exists()])
expect_none("compose: volumes are declared", [v for s in services.values() for v in map(str, s.get("volumes", [])) if not v.startswith("./") and v.split(":")[0] not in compose["volumes"]])
expect_none("compose: its own variables are POSTKEY_…, which no .env of the scripts has", [v for v in re.findall(r"\$\{(\w+)", text("docker-compose.yml")) if not v.startswith("POSTKEY_")])
expect_none("compose: every variable is read by the code", [f"{name}: {v}" for name in [*PORT, "msg91-simulator"] for v in environment(name) if v not in KNOWN])

# --- Terraform --------------------------------------------------------------------------------------------------------

terraform = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "terraform").glob("*.tf")))
locals_tf, secrets_tf = text("terraform/locals.tf"), text("terraform/secrets.tf")
contract = {m[0]: m[1] for m in re.findall(r"^    ([\w-]+-service)\s*= (\{ port = .*\})$", locals_tf, re.M)}
for name, port in PORT.items():
    line = contract.get(name, "")
    expect(f"terraform: {name} is port {port}, database {DATABASE[name]}, {DATABASE_VARIABLE[name]}", f"port = {port}," in line and f'database = "{DATABASE[name]}"' in line and f'"{DATABASE_VARIABLE[name]}"' in line, line)


def block(source, start):
    """The text between the braces that open at `start`."""
    depth = 0
    begin = source.index("{", source.index(start))
    for index in range(begin, len(source)):
        depth += {"{": 1, "}": -1}.get(source[index], 0)
        if depth == 0:
            return source[begin : index + 1]
    return ""


UPPER = re.compile(r"^\s*\(?([A-Z][A-Z0-9_]{2,})\)?\s*=", re.M)
own = block(locals_tf, "\n  environment = {")
common = set(UPPER.findall(text("terraform/main.tf")))
TERRAFORM = {name: common | set(UPPER.findall(block(own, name))) | {DATABASE_VARIABLE[name]} for name in PORT}
SECRETS = {name: set(re.findall(r"\b([A-Z][A-Z0-9_]{5,})\s*=", block(secrets_tf, "  token_key = merge(") or "")) for name in PORT}
for name in PORT:
    SECRETS[name] = {"JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY", "PGPASSWORD"}
SECRETS["user-service"] |= {"JWT_PRIVATE_KEY", "JWT_PREVIOUS_PRIVATE_KEY"}
SECRETS["otp-service"] |= {"OTP_SECRET_KEY", "OTP_PREVIOUS_SECRET_KEY", "MSG91_AUTH_KEY", "MSG91_WEBHOOK_SECRET"}
expect_none("terraform: every secret is in secrets.tf", [v for vs in SECRETS.values() for v in vs if not re.search(rf"\b{v}\b", secrets_tf)])
expect_none("terraform: no secret is among the plain variables", [f"{name}: {v}" for name, vs in TERRAFORM.items() for v in vs if re.search(r"SECRET|AUTH_KEY|PRIVATE_KEY|PASSWORD", v)])
expect_none("terraform: every variable is read by the code", [f"{name}: {v}" for name in PORT for v in TERRAFORM[name] | SECRETS[name] if v not in KNOWN])

# What production cannot start without, and what says where the others are.
for name, code in CODE.items():
    needed = set(re.findall(r'reader\s*\.\s*(?:secret|required)\(\s*"([A-Z0-9_]+)"', code + CORE))
    needed |= {v for v in variables(code) if v.endswith("_SERVICE_URL")} | {DATABASE_VARIABLE[name]}
    expect_none(f"terraform: {name} has what it cannot do without", needed - TERRAFORM[name] - SECRETS[name])
    generated = {"JWT_SECRET_KEY"} | ({"OTP_SECRET_KEY"} if name == "otp-service" else set())
    expect_none(f"compose: {name} has what it cannot do without", needed - set(environment(name)) - generated)
secrets_sh = text("deploy/compose/secrets.sh")
expect("compose: the job makes JWT_SECRET_KEY and OTP_SECRET_KEY", all(f'"{v}=$(random)"' in secrets_sh for v in ("JWT_SECRET_KEY", "OTP_SECRET_KEY")))

# --- Routes -----------------------------------------------------------------------------------------------------------

nginx, routing = text("deploy/nginx/postkey.conf"), text("terraform/modules/edge/routing.tf")
for name, module in MODULES.items():
    api = yaml.safe_load(text(f"Sources/{module}/OpenAPI/{name}.yaml"))
    public = [path for path in api["paths"] if not re.match(r"^/(internal|health|metrics|openapi\.yaml)", path)]
    prefixes = [pattern.rstrip("*") for pattern in re.findall(r'"(/[^"]*)"', contract.get(name, "").split("path_patterns")[-1])]
    if name == "admin-service":
        others = [pattern for other in PORT if other != name for pattern in re.findall(r'"(/[^"*]*)', contract[other].split("path_patterns")[-1])]
        expect_none("routes: no path of admin-service leads to another service", [p for p in public for prefix in others if p.startswith(prefix)])
    else:
        expect_none(f"terraform: the public paths of {name} lead to it", [p for p in public if not any(p.startswith(prefix) for prefix in prefixes)])
        upstream = {"otp-service": "postkey_otp", "user-service": "postkey_user"}[name]
        led = re.findall(rf"location (/\S+) \{{\n\s+proxy_pass http://{upstream};", nginx)
        expect(f"nginx: the same prefixes lead to {name}", sorted(led) == sorted(prefixes), f"{led} {prefixes}")
    expect(f"nginx: {name} on port {PORT[name]}", f"server 127.0.0.1:{PORT[name]} " in nginx)
for path in ("internal", "metrics", "health"):
    expect(f"routes: /{path} is closed in Terraform and nginx", f'"/{path}*"' in routing and re.search(rf"location ~ \^/\([a-z|]*\b{path}\b[a-z|]*\) \{{\n\s+return 404;", nginx) is not None)

# --- Health -----------------------------------------------------------------------------------------------------------

dockerfile = text("Dockerfile")
expect("the code answers /health/live and /health/ready", all(f'router.get("{path}")' in CORE for path in ("/health/live", "/health/ready")))
expect("the code has the command health", 'commandName: "health"' in CORE)
expect("terraform: the load balancer asks /health/live", re.search(r'path\s*= "/health/live"', text("terraform/modules/edge/main.tf")) is not None)
expect("terraform: the container asks itself", 'command     = ["CMD", "/app/${var.service}", "health"]' in text("terraform/modules/service/main.tf"))
for name, port in PORT.items():
    stage = dockerfile[dockerfile.index(f"FROM runtime AS {name}") :].split("\nFROM ")[0]
    expect(f"image: {name} asks itself and exposes {port}", f'CMD ["/app/{name}", "health"]' in stage and f"EXPOSE {port}\n" in stage and f'ENTRYPOINT ["/app/{name}"]' in stage)
expect("image: a numeric user, production unless told otherwise", "USER 10001:10001" in dockerfile and "ENVIRONMENT=production" in dockerfile)
options = re.search(r"RELEASE_OPTIONS=\((.*)\)", text("scripts/lib/build.sh"))[1]
expect("image: built with the options of the scripts", f'ARG SWIFT_OPTIONS="{options}"' in dockerfile, options)
for argument in re.findall(r"^ARG \w+_IMAGE=(\S+)$", dockerfile, re.M):
    expect(f"image: {argument} is what the checks stand in for", f"library/{argument}" in text("scripts/deployment/base-images.sh"))
expect("image: the workflow tests with the compiler of the image", f"container: {re.search(r'ARG SWIFT_IMAGE=(.*)', dockerfile)[1]}" in text(".github/workflows/ci.yml"))
folders = set(re.findall(r'path:[^"\n]*"([^"/]+)/', text("Package.swift"))) | {"Sources", "Tests"}
expect_none("image: it has every folder that Package.swift names", folders - set(re.findall(r"^COPY (\w+) \./", dockerfile, re.M)))
expect_none("image: the executables are products", [p for p in re.findall(r"^lay ([\w-]+) ", text("deploy/image/compile.sh"), re.M) if f'.executable(name: "{p}"' not in text("Package.swift")])
packages = set(re.search(r"BUILD_PACKAGES=\((.*)\)", text("scripts/lib/packages.sh"))[1].split())
expect_none("image: built with the packages of the scripts", packages - set(re.findall(r"lib[\w-]+-dev", dockerfile)))
expect("the simulator is in no deployment", "simulator" not in re.sub(r"simulator-auth-key|the simulator's|is the simulator's", "", terraform + text("deploy/aws/push-images.sh")))

# --- Metrics and alerts -----------------------------------------------------------------------------------------------

METRIC = set(re.findall(r'label:\s*"([a-z_]+)"', EVERYTHING)) | set(re.findall(r'gauges\("([a-z_]+)"\)', EVERYTHING)) | set(re.findall(r"# TYPE (\w+) ", EVERYTHING))
rules = yaml.safe_load(text("deploy/prometheus/rules/postkey.yml"))
expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
for path in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json")):
    board = json.loads(path.read_text(encoding="utf-8"))
    expect(f"grafana: {path.name} is found by its name", board["uid"] == path.stem)
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
FUNCTIONS = {"rate", "increase", "sum", "max", "by", "le", "histogram_quantile", "and", "offset", "up", "job", "avg", "or", "without", "unless", "on", "service", "instance", "route", "status", "outcome", "country", "channel", "lane", "cache", "database", "datname", "pool", "class", "prefix", "kind", "state", "limit", "enforced", "d"}
used = set()
for expression in expressions:
    bare = re.sub(r"postkey:[\w:]+", "", re.sub(r'"[^"]*"', "", re.sub(r"\[[^\]]*\]", "", expression)))
    used |= {re.sub(r"_(bucket|sum|count)$", "", word) if re.sub(r"_(bucket|sum|count)$", "", word) in METRIC else word for word in re.findall(r"\b[a-z][a-z_]+\b", bare)}
used = {word for word in used - FUNCTIONS if not word.startswith("pg_")}
expect_none("alerts and dashboards use metrics that the services export", used - METRIC)
values = {v for e in expressions for group in re.findall(r'(?:outcome|channel)!?=~?"([^"]*)"', e) for v in group.split("|")}
expect_none("alerts and dashboards name outcomes that the code has", [v for v in values if f'"{v.removesuffix(".*")}' not in EVERYTHING and not re.search(rf"case ([\w, ]*\b)?{v}\b", EVERYTHING) and not (v.startswith("refused_") and re.search(rf"\bcase {v.removeprefix('refused_')}\b", EVERYTHING))])
operations = text("docs/operations.md")
alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
expect_none("every alert has a section in docs/operations.md", [alert for alert in alerts if f"\n### {alert}\n" not in operations])
expect_none("every alert names its section", [rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule and rule["annotations"]["runbook"] != f"docs/operations.md#{rule['alert'].lower()}"])
tested = text("deploy/prometheus/tests/postkey.yml")
expect_none("every alert has a test", [alert for alert in alerts if f"alertname: {alert}" not in tested])
named = set(re.findall(r'alarm_description\s*= "(\w+): ', text("terraform/modules/observability/main.tf")))
expect_none("the alarms of CloudWatch name sections that are there", named - set(alerts))
filters = re.findall(r'\?\\"([^"\\]+)\\"', text("terraform/modules/observability/main.tf"))
expect_none("the alarm on deliveries looks for lines that otp-service logs", [line for line in filters if line not in CODE["otp-service"]] or ([] if filters else ["no line"]))
targets = {t for c in yaml.safe_load(text("deploy/prometheus/prometheus.yml"))["scrape_configs"] if c["job_name"] == "postkey" for s in c["static_configs"] for t in s["targets"]}
expect("prometheus asks the services where they are", targets == {f"{name}:{port}" for name, port in PORT.items()}, str(targets))

# --- Documents --------------------------------------------------------------------------------------------------------

readme = text("terraform/README.md")
expect_none("terraform/README.md explains every variable", [v for v in re.findall(r'^variable "(\w+)"', terraform, re.M) if f"`{v}`" not in readme])
expect_none("terraform/README.md explains every output", [v for v in re.findall(r'^output "(\w+)"', terraform, re.M) if f"`{v}`" not in readme])
stores = re.compile(r"redis|elasticache|memcached|memorydb|valkey", re.I)
deployed = [ROOT / "Dockerfile", ROOT / "docker-compose.yml", *(ROOT / "terraform").rglob("*.tf"), *(ROOT / "terraform").rglob("*.tfvars"), *(p for p in (ROOT / "deploy").rglob("*") if p.is_file())]
expect_none("no other store than PostgreSQL is deployed", [str(p.relative_to(ROOT)) for p in deployed if ".terraform" not in p.parts and stores.search(p.read_text(encoding="utf-8"))])

sys.exit(1 if failures else 0)
