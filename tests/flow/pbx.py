"""What a PBX sends, for sipp."""


def scenario(event, status, login=False):
    """What a PBX sends: one NOTIFY out of dialog, and with `login` another one with a password."""
    message = f'''NOTIFY sip:1001@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:pbx@[local_ip]>;tag=[call_number]
To: <sip:1001@[remote_ip]>
Call-ID: [call_id]
CSeq: %d NOTIFY
Contact: <sip:pbx@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Subscription-State: terminated
Event: {event}
%sContent-Length: 0

'''
    step = '<send{retrans}><![CDATA[\n{text}]]></send>\n<recv response="{status}"{auth}/>\n'
    steps = step.format(retrans=' retrans="500"', text=message % (10, ''), status=401 if login else status,
                        auth=' auth="true"' if login else '')
    if login:
        steps += step.format(retrans=' retrans="500"', text=message % (11, '[authentication username=1001 password=its-secret]\n'),
                             status=status, auth='')
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="pbx">\n{steps}</scenario>\n'
