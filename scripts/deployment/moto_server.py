"""A moto server that the AWS provider of Terraform can apply to, plan against again, and destroy.

What moto 5.2 leaves out and the provider reads back is filled in here; nothing of this ships. Arguments as of
`moto_server`: `-H 127.0.0.1 -p PORT`.
"""
import base64
import hashlib
import json
import sys

import moto.rds.models as rds
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.budgets.responses import BudgetsResponse
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.responses import EC2ContainerServiceResponse

# 1. one DbiResourceId per instance: moto hard-codes one value, the provider uses it as the id
_init = rds.DBInstance.__init__
def _db_init(self, *a, **k):
    _init(self, *a, **k)
    digest = hashlib.sha256(self.db_instance_identifier.encode()).digest()
    self.dbi_resource_id = "db-" + base64.b32encode(digest).decode()[:26]
    # 2. arguments that moto drops and the provider reads back
    self.performance_insights_enabled = k.get("enable_performance_insights", False)
    self.performance_insights_kms_key_id = k.get("performance_insights_kms_key_id")
    self.performance_insights_retention_period = k.get("performance_insights_retention_period")
    self.monitoring_interval = k.get("monitoring_interval", 0)
    self.monitoring_role_arn = k.get("monitoring_role_arn")
rds.DBInstance.__init__ = _db_init

# 3. the provider skips parameters without a Source
_upd = rds.DBParameterGroup.update_parameters
def _pg_update(self, new):
    _upd(self, [{**p, "Source": "user"} for p in new])
rds.DBParameterGroup.update_parameters = _pg_update

# 4. description of a rule whose peer is another security group
SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description") or self.source_group.get("Description"))

# 5. ECS service fields that moto drops
_FIELDS = {"enableECSManagedTags": "enable_ecs_managed_tags", "enableExecuteCommand": "enable_execute_command",
           "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
           "availabilityZoneRebalancing": "availability_zone_rebalancing"}
def _keep(name):
    orig = getattr(EC2ContainerServiceResponse, name)
    def wrapped(self):
        out = orig(self)
        svc = out.result["service"] if hasattr(out, "result") else None
        for api, attr in _FIELDS.items():
            v = self._get_param(api)
            if v is not None and svc is not None:
                setattr(svc, attr, v)
        return out
    setattr(EC2ContainerServiceResponse, name, wrapped)
_keep("create_service")
_keep("update_service")

# 6. tagging calls that moto lacks and the provider makes on every read
_TAGS = {}
def _aas_list(self):
    return json.dumps({"Tags": _TAGS.get(self._get_param("ResourceARN"), {})})
def _aas_tag(self):
    _TAGS.setdefault(self._get_param("ResourceARN"), {}).update(self._get_param("Tags") or {})
    return json.dumps({})
ApplicationAutoScalingResponse.list_tags_for_resource = _aas_list
ApplicationAutoScalingResponse.tag_resource = _aas_tag
ApplicationAutoScalingResponse.untag_resource = lambda self: json.dumps({})
_reg = ApplicationAutoScalingResponse.register_scalable_target
def _register(self):
    out = _reg(self)
    tags = self._get_param("Tags")
    arn = json.loads(out).get("ScalableTargetARN")
    if tags and arn:
        _TAGS.setdefault(arn, {}).update(tags)
    return out
ApplicationAutoScalingResponse.register_scalable_target = _register

def _arn(self):
    return self._get_param("ResourceARN")

_SUBS = {}
_cb = BudgetsResponse.create_budget
def _create_budget(self):
    acct, name = self._get_param("AccountId"), self._get_param("Budget")["BudgetName"]
    _TAGS[f"arn:aws:budgets::{acct}:budget/{name}"] = {t["Key"]: t["Value"] for t in self._get_param("ResourceTags") or []}
    for n in self._get_param("NotificationsWithSubscribers") or []:
        _SUBS[name] = n["Subscribers"]
    return _cb(self)
_cn = BudgetsResponse.create_notification
def _create_notification(self):
    _SUBS[self._get_param("BudgetName")] = self._get_param("Subscribers")
    return _cn(self)
BudgetsResponse.create_budget = _create_budget
BudgetsResponse.create_notification = _create_notification
BudgetsResponse.describe_subscribers_for_notification = lambda self: json.dumps({"Subscribers": _SUBS.get(self._get_param("BudgetName"), [])})
BudgetsResponse.list_tags_for_resource = lambda self: json.dumps({"ResourceTags": [{"Key": k, "Value": v} for k, v in _TAGS.get(_arn(self), {}).items()]})
BudgetsResponse.tag_resource = lambda self: json.dumps({})

# 7. a cluster that is not serverless v1 has no scaling configuration
_scaling = rds.DBCluster.scaling_configuration_info.fget
rds.DBCluster.scaling_configuration_info = property(
    lambda self: _scaling(self) if self.engine_mode == "serverless" else None)

from moto.server import main
main(sys.argv[1:])
