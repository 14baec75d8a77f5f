"""deploy/kubernetes: against Kubernetes' own schemas, and against what the server can do.

None of it is run here.
"""

import re
import subprocess

import pytest
import yaml

from server.api.routes import ROUTES
from server.config import Settings
from server.config.command_line import parse_settings
from tests.support.server import ROOT

DIRECTORY = ROOT / "deploy" / "kubernetes"
OBJECTS = list(yaml.safe_load_all((DIRECTORY / "cluster.yaml").read_text()))
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OBJECTS
    if "template" in each.get("spec", {})
}


@pytest.mark.parametrize("described", OBJECTS, ids=lambda each: each["kind"])
def test_each_object_is_as_the_schema_has_it(described):
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="needs kubernetes-validate: pip install 'kinecast[dev]'"
    )
    kubernetes_validate.validate(described, kubernetes_validate.latest_version(), strict=True)


def test_the_schema_finds_what_is_wrong():
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="needs kubernetes-validate: pip install 'kinecast[dev]'"
    )
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"por": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_readiness_is_the_clusters_and_liveness_the_processs():
    container = PODS["kinecast"]["containers"][0]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert container["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}
    assert "/health/ready" in {route.path for route in ROUTES}
    # Nothing that another process could make fail.
    assert container["livenessProbe"].keys() & {"httpGet", "exec"} == set()
    assert f"--node-manager-port={ports['raylet']}" in container["args"]
    assert ports["http"] == Settings.model_fields["port"].default


def test_media_has_one_port_of_the_machines_and_the_server_the_same():
    (media,) = [p for p in PODS["kinecast"]["containers"][0]["ports"] if "hostPort" in p]
    assert media["hostPort"] == media["containerPort"]
    assert media["protocol"] == "UDP"
    (started,) = PODS["ray-head"]["containers"][0]["args"]
    flags = re.search(r'kinecast cluster start --nodes "\$NODES" (.*?);', started)[1].split()
    assert parse_settings(flags).ice_port == media["hostPort"]


def test_what_is_set_is_known_and_secrets_stand_elsewhere():
    (config,) = [each["data"] for each in OBJECTS if each["kind"] == "ConfigMap"]
    told = set(config)
    for pod in PODS.values():
        container = pod["containers"][0]
        assert container["envFrom"] == [
            {"configMapRef": {"name": "kinecast"}},
            {"secretRef": {"name": "kinecast"}},
        ]
        told |= {each["name"] for each in container["env"]}
    variables = {name for setting in Settings.settings() for name in setting.variables}
    assert {name for name in told if not name.startswith("RAY_")} <= variables
    # They would be in this file, which is no secret.
    assert not {name for name in told if re.search("SECRET|TOKEN|KEY", name)}
    assert not [each for each in OBJECTS if each["kind"] == "Secret"]


def test_others_reach_two_ports_alone():
    (policy,) = [each["spec"] for each in OBJECTS if each["kind"] == "NetworkPolicy"]
    own, open_to_all = policy["ingress"]
    assert own["from"] == [{"podSelector": policy["podSelector"]}]
    assert {each["port"] for each in open_to_all["ports"]} == {8083, 50000}
    labels = policy["podSelector"]["matchLabels"].items()
    for each in OBJECTS:
        if "template" in each.get("spec", {}):
            assert labels <= each["spec"]["template"]["metadata"]["labels"].items()


def test_what_the_page_creates_is_what_is_asked_for():
    page = (ROOT / "docs" / "deployment.md").read_text()
    created = dict(re.findall(r"--from-literal=(\w+)=\$\((.*?)\)", page))
    assert created.keys() == {"CLUSTER_SECRET", "AUTH_SECRET", "RAY_AUTH_TOKEN", "ENCRYPTION_KEY"}
    key = subprocess.run(
        ["sh", "-c", created["ENCRYPTION_KEY"]], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert len(parse_settings([f"--encryption-key={key}"]).encryption_keys()) == 1
    assert "kubectl label node" in page
